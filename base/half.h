// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

#include "base/host_device.h"

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
[[nodiscard]] CONVOY_HOST_DEVICE inline float to_float(BFloat16 value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16);
}

/// Rounds to nearest, ties to even; NaN stays NaN.
[[nodiscard]] CONVOY_HOST_DEVICE inline BFloat16 to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return {static_cast<std::uint16_t>((bits >> 16) | 0x40U)};
  return {static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16)};
}

namespace internal {
/// `a` if `first`, else `b`, without a branch.
[[nodiscard]] CONVOY_HOST_DEVICE inline std::uint32_t choose(bool first, std::uint32_t a,
                                                             std::uint32_t b) {
  const std::uint32_t mask = 0U - static_cast<std::uint32_t>(first);
  return (a & mask) | (b & ~mask);
}
}  // namespace internal

// The conversions of binary16 compute every case and then choose, so that loops over them
// vectorise; with ?: GCC would put the cases back into branches.

/// Exact, subnormals included.
[[nodiscard]] CONVOY_HOST_DEVICE inline float to_float(Half value) {
  const std::uint32_t sign = static_cast<std::uint32_t>(value.bits & 0x8000U) << 16;
  const std::uint32_t magnitude = value.bits & 0x7fffU;
  const std::uint32_t infinite = (magnitude << 13) | 0x7f800000U;  // or NaN
  const std::uint32_t normal = (magnitude << 13) + 0x38000000U;    // exponent bias 15 to 127
  const auto subnormal = std::bit_cast<std::uint32_t>(
      static_cast<float>(static_cast<std::int32_t>(magnitude)) * 0x1.0p-24F);
  const std::uint32_t finite = internal::choose(magnitude < 0x400U, subnormal, normal);
  return std::bit_cast<float>(sign | internal::choose(magnitude >= 0x7c00U, infinite, finite));
}

/// Rounds to nearest, ties to even; beyond the range becomes infinity; NaN stays NaN.
[[nodiscard]] CONVOY_HOST_DEVICE inline Half to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7fffffffU;
  const std::uint32_t normal = (magnitude + 0xfffU + ((magnitude >> 13) & 1U) - 0x38000000U) >> 13;
  // Adding 0.5 lines the last bit of a binary16 subnormal up with the last bit of the sum.
  const std::uint32_t subnormal =
      std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - 0x3f000000U;
  const std::uint32_t finite = internal::choose(magnitude < 0x38800000U, subnormal, normal);
  const std::uint32_t infinite = internal::choose(magnitude > 0x7f800000U, 0x7e00U, 0x7c00U);
  return {static_cast<std::uint16_t>(sign |
                                     internal::choose(magnitude >= 0x477ff000U, infinite, finite))};
}

}  // namespace convoy
