// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "base/host_device.h"
#include "compress/codec/internal/grid.h"

// Squared errors of values on grids that need float64.

namespace convoy::compress::internal {

[[nodiscard]] CONVOY_HOST_DEVICE inline double square_of_difference(float a, float b) {
  const double difference = static_cast<double>(a) - static_cast<double>(b);
  return difference * difference;
}

[[nodiscard]] CONVOY_HOST_DEVICE inline double exact_nearest_error(float value, const Grid& grid) {
  return square_of_difference(value, value_at(exact_nearest_code(value, grid), grid));
}

/// In the mean over seeds.
[[nodiscard]] CONVOY_HOST_DEVICE inline double exact_stochastic_error(float value,
                                                                      const Grid& grid) {
  const double place = exact_place(value, grid);
  const auto below = static_cast<int>(place);
  const int above = std::min(below + 1, grid.limit);
  const double fraction = place - below;
  const double down = square_of_difference(value, value_at(static_cast<std::uint8_t>(below), grid));
  const double up = square_of_difference(value, value_at(static_cast<std::uint8_t>(above), grid));
  return (1.0 - fraction) * down + fraction * up;
}

}  // namespace convoy::compress::internal
