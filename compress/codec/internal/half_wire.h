// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

#include "base/half.h"
#include "base/host_device.h"
#include "compress/codec/half_codec.h"

// What half does to one value, on the CPU and in kernels. No branches, so that loops vectorise.

namespace convoy::compress::internal {

/// Rounding as base/half.h does it, and the bits of the format's infinity.
template <typename T>
struct HalfWire;

template <>
struct HalfWire<Half> {
  static constexpr std::uint16_t kInfinity = 0x7c00;
  [[nodiscard]] CONVOY_HOST_DEVICE static std::uint16_t round(float value) {
    return to_half(value).bits;
  }
};

template <>
struct HalfWire<BFloat16> {
  static constexpr std::uint16_t kInfinity = 0x7f80;
  [[nodiscard]] CONVOY_HOST_DEVICE static std::uint16_t round(float value) {
    return to_bfloat16(value).bits;
  }
};

/// 1 if a finite value was rounded to infinity.
template <typename T>
[[nodiscard]] CONVOY_HOST_DEVICE inline std::uint16_t overflowed(float value,
                                                                 std::uint16_t rounded) {
  const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(value) & 0x7fffffffU;
  return static_cast<std::uint16_t>(
      static_cast<std::uint32_t>(magnitude < 0x7f800000U) &
      static_cast<std::uint32_t>((rounded & 0x7fffU) == HalfWire<T>::kInfinity));
}

/// 1 if encoding saturates `value`.
template <typename T>
[[nodiscard]] CONVOY_HOST_DEVICE inline std::uint16_t saturates(float value) {
  return overflowed<T>(value, HalfWire<T>::round(value));
}

/// The bits that are sent of a value.
template <typename T>
[[nodiscard]] CONVOY_HOST_DEVICE inline std::uint16_t to_wire_bits(float value) {
  const std::uint16_t rounded = HalfWire<T>::round(value);
  // The bits of the largest number are one below those of infinity.
  return static_cast<std::uint16_t>(rounded - overflowed<T>(value, rounded));
}

}  // namespace convoy::compress::internal
