// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/host_device.h"

// The order in which orthogonalise() adds, on the CPU and in kernels: term i of a dot product goes
// to lane i % kDotLanes, each lane adds in the order of i, beginning with 0; the lanes are then
// added by halves: 0 + 128, 1 + 129, ..., then 0 + 64, ... Many lanes, so that a block of a GPU has
// a thread for each.

namespace convoy::compress::internal {

inline constexpr int kDotLanes = 256;

/// What is left of a column after its projections are taken out is rounding error of the float32
/// values, and no direction, when it is not larger than this part of the column.
inline constexpr double kDependent = 1e-6;
/// Below this part of the norm, what is left has lost so many digits that it is projected again
/// ("twice is enough", Giraud et al., Numer. Math. 101, 2005).
inline constexpr double kCancelled = 0.5;

/// The sum by halves of `count` values, a power of two. Overwrites them.
[[nodiscard]] CONVOY_HOST_DEVICE inline double fold_halves(double* values, int count) {
  for (int half = count / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) values[i] += values[i + half];
  }
  return values[0];
}

}  // namespace convoy::compress::internal
