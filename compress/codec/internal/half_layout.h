// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include "compress/codec/half_codec.h"

// A payload of half: the header, then two bytes a value.

namespace convoy::compress::internal {

inline constexpr std::size_t kHalfBytes = 2;

[[nodiscard]] std::size_t half_payload_bytes(std::size_t numel);

/// `out` holds at least PayloadHeader::kBytes.
void write_half_header(HalfFormat format, std::size_t numel, std::span<std::byte> out);

/// The format that the header of a payload names.
/// @param front  its first bytes: PayloadHeader::kBytes of them, if it has as many.
/// @throws PayloadError unless it is a payload of `numel` values and has the bytes for them.
[[nodiscard]] HalfFormat read_half_format(std::span<const std::byte> front,
                                          std::size_t payload_bytes, std::size_t numel);

}  // namespace convoy::compress::internal
