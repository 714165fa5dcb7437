// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace convoy::compress::internal {

/// How a payload of top_k lists `k` ascending indices below `numel`. A gap is the number of indices
/// between one and the one before it (for the first: before it).
enum class IndexFormat : std::uint8_t {
  kGaps8 = 0,     ///< a byte for each gap; 255 means: add 255, the gap goes on in the next byte
  kGaps16 = 1,    ///< two bytes for each gap; 65535 goes on likewise
  kBitmap = 2,    ///< bit i % 8 of byte i / 8 says whether index i is there; the rest is zero
  kAbsolute = 3,  ///< four bytes an index; for layers of at most 2^32 values
};

struct IndexSize {
  IndexFormat format = IndexFormat::kGaps8;
  std::size_t bytes = 0;
};

/// The smallest; of equal ones the first in the list above.
[[nodiscard]] IndexSize smallest_format(std::span<const std::int64_t> indices, std::int64_t numel);
/// The same, from the escapes that gaps of 8 and of 16 bits take in all.
[[nodiscard]] IndexSize smallest_format(std::int64_t escapes8, std::int64_t escapes16,
                                        std::int64_t numel, std::int64_t k);
/// No choice of `k` indices below `numel` needs more. Arithmetic only, as the next.
[[nodiscard]] std::size_t max_index_bytes(std::int64_t numel, std::int64_t k);
/// What `k` indices that lie at random need in the mean.
[[nodiscard]] double typical_index_bytes(std::int64_t numel, std::int64_t k);

/// @param out  exactly the size of this format.
void write_indices(std::span<const std::int64_t> indices, IndexFormat format,
                   std::span<std::byte> out);
/// @throws PayloadError unless `bytes` are exactly `k` ascending indices below `numel`.
[[nodiscard]] std::vector<std::int64_t> read_indices(std::span<const std::byte> bytes,
                                                     IndexFormat format, std::int64_t k,
                                                     std::int64_t numel);

}  // namespace convoy::compress::internal
