// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "scheduler/net/frame.h"

namespace convoy::net::internal {

// Wire layout, little-endian: magic[4] type:u16 zero:u16 id:u64 answers:u64 length:u32 body
// check:u64 header check:u32, then `length` bytes of body. The header has a check of its own, so
// that a damaged length is found before anybody waits for, or makes room for, that many bytes.
inline constexpr std::array<std::byte, 4> kMagic{std::byte{0x43}, std::byte{0x56}, std::byte{0x59},
                                                 std::byte{0x01}};
inline constexpr std::size_t kTypeAt = 4;
inline constexpr std::size_t kZeroAt = 6;
inline constexpr std::size_t kIdAt = 8;
inline constexpr std::size_t kAnswersAt = 16;
inline constexpr std::size_t kLengthAt = 24;
inline constexpr std::size_t kBodyCheckAt = 28;
inline constexpr std::size_t kHeaderCheckAt = 36;

/// XXH3-64.
[[nodiscard]] std::uint64_t body_check(std::span<const std::byte> body);
/// The low half of XXH3-64 of the header up to here.
[[nodiscard]] std::uint32_t header_check(std::span<const std::byte> header);

}  // namespace convoy::net::internal
