// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

#include "base/half.h"
#include "base/host_device.h"

// What happens to one value at a time, on the CPU and in kernels.

namespace convoy::compress::internal {

[[nodiscard]] CONVOY_HOST_DEVICE inline float as_float(float value) { return value; }
[[nodiscard]] CONVOY_HOST_DEVICE inline float as_float(Half value) { return to_float(value); }
[[nodiscard]] CONVOY_HOST_DEVICE inline float as_float(BFloat16 value) { return to_float(value); }

/// What a decoder adds: first the product and then the sum rounded.
CONVOY_HOST_DEVICE inline void add_scaled(float& out, float scale, float value) {
  const float product = scale * value;
  out += product;
}

/// What error feedback owes of one value.
[[nodiscard]] CONVOY_HOST_DEVICE inline float owed_of(float residual, float gradient) {
  return residual + gradient;
}

/// A NaN as it leaves the arithmetic of a CPU: sign and payload kept, quiet. GPUs forget both, so
/// kernels whose NaN must have the CPU's bits call this instead of computing with it.
[[nodiscard]] CONVOY_HOST_DEVICE inline float quiet(float nan) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(nan) | 0x400000U);
}

}  // namespace convoy::compress::internal
