// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "compress/codec/internal/payload_header.h"
#include "compress/codec/internal/top_k_indices.h"
#include "compress/codec/top_k_codec.h"

// Where things lie in a payload of top_k: the header, the number k of values sent, their values and
// their indices.

namespace convoy::compress::internal {

inline constexpr std::size_t kTopKCountOffset = PayloadHeader::kBytes;
inline constexpr std::size_t kTopKValuesOffset = kTopKCountOffset + sizeof(std::uint64_t);

struct TopKHeader {
  IndexFormat format = IndexFormat::kGaps8;  ///< may be none of them when it was read
  TopKValues wire = TopKValues::kFloat32;
  int exponent = 0;  ///< of ScaledHalf; 0 for float32
  std::int64_t numel = 0;
  std::int64_t k = 0;
};

/// How many of `numel` values are sent.
[[nodiscard]] std::int64_t count_kept(std::int64_t numel, Level density);
/// Where the indices begin.
[[nodiscard]] std::size_t bytes_without_indices(TopKValues wire, std::int64_t k);

/// Writes all that comes before the values.
void write_top_k_header(const TopKHeader& header, std::span<std::byte> out);
/// @param start          the beginning of the payload, as far as kTopKValuesOffset if it is as
/// long.
/// @param payload_bytes  size of the whole.
/// @throws PayloadError unless all but the format of the indices, which read_indices() checks, is
/// as it must be.
[[nodiscard]] TopKHeader read_top_k_header(std::span<const std::byte> start,
                                           std::size_t payload_bytes, std::size_t numel);

}  // namespace convoy::compress::internal
