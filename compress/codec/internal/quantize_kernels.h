// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "compress/codec/internal/grid.h"

namespace convoy::compress::internal {

/// Kernels work on whole blocks: every `count` is a multiple of this, and at least this.
inline constexpr std::size_t kBlock = 64;

/// The loops of max-min quantisation for the CPU that runs: one code for every SIMD width
/// (Highway). All widths give the same bits: no fused multiply-add, no order of a sum that depends
/// on the width. Grids passed here must encode or decode in float32 (grid.h).
struct QuantizeKernels {
  /// Smallest and largest value; the sign of a zero is not defined.
  Range (*find_range)(const float* values, std::size_t count);
  /// codes[i] = (values[i] - min) * (1 / step), rounded to nearest, ties to even.
  void (*nearest_codes)(const float* values, std::size_t count, const Grid& grid,
                        std::uint8_t* codes);
  /// The same, rounded up with the probability of its fraction: floor(place + random_at / 2^22).
  void (*stochastic_codes)(const float* values, std::size_t count, const Grid& grid, GroupKey key,
                           std::uint8_t* codes);
  /// out[i] = min + step * codes[i]
  void (*values_of)(const std::uint8_t* codes, std::size_t count, const Grid& grid, float* out);
  /// out[i] += scale * (min + step * codes[i])
  void (*add_values_of)(const std::uint8_t* codes, std::size_t count, const Grid& grid, float scale,
                        float* out);
  /// Sum of (values[i] - what it decodes to)^2 with nearest rounding.
  double (*nearest_error)(const float* values, std::size_t count, const Grid& grid);
  /// What that sum is in the mean over seeds with stochastic rounding.
  double (*stochastic_error)(const float* values, std::size_t count, const Grid& grid);
};

/// Of the best SIMD target of this CPU, or of what hwy::SetSupportedTargetsForTest() left.
[[nodiscard]] const QuantizeKernels& quantize_kernels();

}  // namespace convoy::compress::internal
