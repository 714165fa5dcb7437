// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

namespace convoy {

/// IEEE binary16 as stored; arithmetic goes through float.
struct Half {
  std::uint16_t bits = 0;
};

/// The upper 16 bits of a binary32; arithmetic goes through float.
struct BFloat16 {
  std::uint16_t bits = 0;
};

/// Exact.
[[nodiscard]] inline float to_float(BFloat16 value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16);
}

/// Rounds to nearest, ties to even; NaN stays NaN.
[[nodiscard]] inline BFloat16 to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return {static_cast<std::uint16_t>((bits >> 16) | 0x40U)};
  return {static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16)};
}

/// Exact, subnormals included.
[[nodiscard]] inline float to_float(Half value) {
  const std::uint32_t sign = static_cast<std::uint32_t>(value.bits & 0x8000U) << 16;
  const std::uint32_t magnitude = static_cast<std::uint32_t>(value.bits & 0x7fffU) << 13;
  if (magnitude >= 0x0f800000U) return std::bit_cast<float>(sign | 0x70000000U | magnitude);
  // 2^112 moves the exponent from binary16's bias to binary32's, subnormals included.
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(
                                         std::bit_cast<float>(magnitude) * 0x1.0p112F));
}

/// Rounds to nearest, ties to even; beyond the range becomes infinity; NaN stays NaN.
[[nodiscard]] inline Half to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7fffffffU;
  if (magnitude > 0x7f800000U) return {static_cast<std::uint16_t>(sign | 0x7e00U)};
  if (magnitude >= 0x477ff000U) return {static_cast<std::uint16_t>(sign | 0x7c00U)};
  if (magnitude < 0x38800000U) {
    // Adding 0.5 lines the last bit of a binary16 subnormal up with the last bit of the sum.
    const float sum = std::bit_cast<float>(magnitude) + 0.5F;
    return {static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(sum) - 0x3f000000U))};
  }
  const std::uint32_t rounded = magnitude + 0xfffU + ((magnitude >> 13) & 1U);
  return {static_cast<std::uint16_t>(sign | ((rounded - 0x38000000U) >> 13))};
}

}  // namespace convoy
