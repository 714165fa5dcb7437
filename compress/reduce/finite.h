// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace convoy::compress {

/// True when there is no infinity and no NaN among the values. One pass that vectorises.
[[nodiscard]] inline bool all_finite(std::span<const float> values) {
  constexpr std::uint32_t kExponent = 0x7f800000U;
  std::uint32_t found = 0;
  for (const float value : values) {
    const std::uint32_t exponent = std::bit_cast<std::uint32_t>(value) & kExponent;
    found |= static_cast<std::uint32_t>(exponent == kExponent);
  }
  return found == 0;
}

}  // namespace convoy::compress
