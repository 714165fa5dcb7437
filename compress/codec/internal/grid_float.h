// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "base/host_device.h"
#include "compress/codec/internal/grid.h"

// The arithmetic of ordinary groups in float32, one value at a time: what the SIMD kernels of the
// CPU (quantize_kernels.cpp, held to these functions by a test) and the CUDA kernels compute.

namespace convoy::compress::internal {

/// Adding 2^23 to a float below it leaves the nearest integer in the low bits of the sum.
inline constexpr float kRounder = 0x1p23F;
inline constexpr float kRandomUnits = static_cast<float>(1 << kRandomBits);

[[nodiscard]] CONVOY_HOST_DEVICE inline float inverse_step(float step) {
  return static_cast<float>(1.0 / static_cast<double>(step));
}

/// Where `value` lies on the grid, in steps from min.
[[nodiscard]] CONVOY_HOST_DEVICE inline float float_place(float value, const Grid& grid,
                                                          float inverse) {
  return (value - grid.min) * inverse;
}

[[nodiscard]] CONVOY_HOST_DEVICE inline std::uint8_t nearest_code(float place) {
  return static_cast<std::uint8_t>(std::bit_cast<std::uint32_t>(place + kRounder));
}

/// `place` in units of 2^-kRandomBits steps, kept within the grid.
[[nodiscard]] CONVOY_HOST_DEVICE inline std::int32_t fixed_place(float place, int limit) {
  const auto fixed = static_cast<std::int32_t>(place * kRandomUnits);
  const std::int32_t most = limit << kRandomBits;
  return fixed < most ? fixed : most;
}

[[nodiscard]] CONVOY_HOST_DEVICE inline std::uint8_t stochastic_code(std::int32_t fixed,
                                                                     std::uint32_t random) {
  return static_cast<std::uint8_t>((static_cast<std::uint32_t>(fixed) + random) >> kRandomBits);
}

/// What a code, as a float, stands for.
[[nodiscard]] CONVOY_HOST_DEVICE inline float float_value(float code, const Grid& grid) {
  return grid.min + grid.step * code;
}

/// The squared error of nearest rounding of one value.
[[nodiscard]] CONVOY_HOST_DEVICE inline double nearest_square(float value, const Grid& grid,
                                                              float inverse) {
  const float code = (float_place(value, grid, inverse) + kRounder) - kRounder;
  const auto error = static_cast<double>(value - float_value(code, grid));
  return error * error;
}

/// The squared error of stochastic rounding in the mean over seeds, in two terms: those of rounding
/// down and up, each times its probability.
struct StochasticSquares {
  double down = 0.0;
  double up = 0.0;
};

[[nodiscard]] CONVOY_HOST_DEVICE inline StochasticSquares stochastic_squares(float value,
                                                                             const Grid& grid,
                                                                             float inverse) {
  const std::int32_t place = fixed_place(float_place(value, grid, inverse), grid.limit);
  const std::int32_t code = place >> kRandomBits;
  const float fraction = static_cast<float>(place - (code << kRandomBits)) * (1.0F / kRandomUnits);
  const auto floor = static_cast<float>(code);
  const float ceiling = std::fmin(floor + 1.0F, static_cast<float>(grid.limit));
  const auto below = static_cast<double>(value - float_value(floor, grid));
  const auto above = static_cast<double>(value - float_value(ceiling, grid));
  return {static_cast<double>(1.0F - fraction) * (below * below),
          static_cast<double>(fraction) * (above * above)};
}

}  // namespace convoy::compress::internal
