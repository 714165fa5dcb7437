// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "base/half.h"
#include "base/host_device.h"
#include "compress/codec/internal/elementwise.h"
#include "compress/codec/internal/magnitude.h"

namespace convoy::compress::internal {

/// Float16 with one power of two for a whole payload, so that gradients beyond the range of float16
/// neither overflow nor vanish: values down to 2^-29 of the largest keep all 11 bits, and the scale
/// itself rounds nothing.
class ScaledHalf {
 public:
  static constexpr int kMostExponent = 126;

  /// @param exponent  of the scale, from -kMostExponent to kMostExponent.
  CONVOY_HOST_DEVICE explicit ScaledHalf(int exponent) : exponent_(exponent) {}
  /// With the largest magnitude below 2^15.
  CONVOY_HOST_DEVICE static ScaledHalf for_largest(std::uint32_t largest_key) {
    const int biased = static_cast<int>(std::min(largest_key, kInfinityKey - 1) >> 23);
    const int exponent = 127 + 14 - biased;
    // No std::min(): its references would ask for kMostExponent in the memory of a device.
    return ScaledHalf(exponent < kMostExponent ? exponent : kMostExponent);
  }

  [[nodiscard]] CONVOY_HOST_DEVICE int exponent() const { return exponent_; }
  [[nodiscard]] CONVOY_HOST_DEVICE Half narrow(float value) const {
    return to_half(std::isnan(value) ? value : value * power(exponent_));
  }
  [[nodiscard]] CONVOY_HOST_DEVICE float widen(Half value) const {
    const float scaled = to_float(value);
    if (std::isnan(scaled)) return quiet(scaled);
    const float wide = scaled * power(-exponent_);
    // Rounding up the very largest floats must not make them infinite.
    const bool overflows = std::isinf(wide) && !std::isinf(scaled);
    return overflows ? std::copysign(std::numeric_limits<float>::max(), wide) : wide;
  }

 private:
  CONVOY_HOST_DEVICE static float power(int exponent) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(exponent + 127) << 23);
  }

  int exponent_;
};

}  // namespace convoy::compress::internal
