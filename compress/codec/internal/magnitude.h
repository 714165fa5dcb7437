// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

#include "base/half.h"
#include "base/host_device.h"

namespace convoy::compress::internal {

// The key of a value: its bits without the sign, moved to the top of 31 bits. Keys of one element
// type are in the order of the magnitudes, with infinity and then NaN above all numbers.

[[nodiscard]] CONVOY_HOST_DEVICE inline std::uint32_t key_of(float value) {
  return std::bit_cast<std::uint32_t>(value) & 0x7fffffffU;
}
[[nodiscard]] CONVOY_HOST_DEVICE inline std::uint32_t key_of(Half value) {
  return (value.bits & 0x7fffU) << 16;
}
[[nodiscard]] CONVOY_HOST_DEVICE inline std::uint32_t key_of(BFloat16 value) {
  return (value.bits & 0x7fffU) << 16;
}
/// Of something that is a key already.
[[nodiscard]] CONVOY_HOST_DEVICE inline std::uint32_t key_of(std::uint32_t key) { return key; }

constexpr int kKeyBits = 31;
/// Of the smallest value of this type that is not zero.
template <typename T>
constexpr std::uint32_t kSmallestKey = sizeof(T) == sizeof(std::uint32_t) ? 1U : 0x10000U;
/// Of an infinite float; larger ones are NaN.
constexpr std::uint32_t kInfinityKey = 0x7f800000U;

}  // namespace convoy::compress::internal
