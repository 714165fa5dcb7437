// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "compress/codec/internal/exact_error.h"
#include "compress/codec/internal/grid_float.h"
#include "compress/codec/internal/quantize_layout.h"
#include "compress/codec/quantize_codec.h"
#include "compress/cuda/internal/group_range.h"

// The level table of quantize. Sums of float64 are taken in the CPU's order: in a group 16 places,
// value i going to place i % 16, which are then added up; group after group after that.

namespace convoy::compress::cuda {

inline constexpr int kPlaces = 16;
inline constexpr int kErrorThreads = kPlaces * math::kMostBits;

struct ErrorShared {
  RangeShared range;
  math::Grid grids[math::kMostBits];
  double places[math::kMostBits][kPlaces];
};

/// Writes the squared error of each group at each width from 1 to 8 bits into
/// errors[(bits - 1) * groups + group]. One block of kErrorThreads for each group: a thread for
/// each width and place.
struct GroupErrors {
  static constexpr int kPhases = 5;
  using Shared = ErrorShared;

  DeviceSpan<const float> values;
  std::int64_t group_size;
  Rounding rounding;
  std::int64_t groups;
  DeviceSpan<double> errors;

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared& shared) const {
    find_own_range(at, group(at), shared.range);
  }

  CONVOY_HOST_DEVICE void operator()(Phase<1>, ThreadAt at, Shared& shared) const {
    join_ranges(at, shared.range);
  }

  CONVOY_HOST_DEVICE void operator()(Phase<2>, ThreadAt at, Shared& shared) const {
    if (at.thread >= math::kMostBits) return;
    shared.grids[at.thread] =
        math::make_grid(joined_range(at, shared.range), math::limit_of(at.thread + 1));
  }

  CONVOY_HOST_DEVICE void operator()(Phase<3>, ThreadAt at, Shared& shared) const {
    const int width = at.thread / kPlaces;
    const int place = at.thread % kPlaces;
    const math::Grid& grid = shared.grids[width];
    shared.places[width][place] =
        math::encodes_in_float(grid) ? sum_of_place(group(at), place, grid) : 0.0;
  }

  CONVOY_HOST_DEVICE void operator()(Phase<4>, ThreadAt at, Shared& shared) const {
    if (at.thread % kPlaces != 0) return;
    const int width = at.thread / kPlaces;
    errors[width * groups + at.block] = total(group(at), shared.grids[width], shared.places[width]);
  }

 private:
  [[nodiscard]] CONVOY_HOST_DEVICE DeviceSpan<const float> group(ThreadAt at) const {
    const std::int64_t from = at.block * group_size;
    const std::int64_t left = values.size() - from;
    return values.part(from, left < group_size ? left : group_size);
  }

  /// Errors of every 16th value, in float32 but for the sum.
  [[nodiscard]] CONVOY_HOST_DEVICE double sum_of_place(DeviceSpan<const float> own, int place,
                                                       const math::Grid& grid) const {
    const float inverse = math::inverse_step(grid.step);
    double sum = 0.0;
    for (std::int64_t i = place; i < own.size(); i += kPlaces) {
      if (rounding == Rounding::kNearest) {
        sum += math::nearest_square(own[i], grid, inverse);
      } else {
        const auto squares = math::stochastic_squares(own[i], grid, inverse);
        sum += squares.down;
        sum += squares.up;
      }
    }
    return sum;
  }

  /// As squared_error() of the CPU.
  [[nodiscard]] CONVOY_HOST_DEVICE double total(DeviceSpan<const float> own, const math::Grid& grid,
                                                const double* places) const {
    if (std::isnan(grid.min)) return grid.min;
    if (grid.step == 0.0F) return 0.0;
    double sum = 0.0;
    if (math::encodes_in_float(grid)) {
      for (int place = 0; place < kPlaces; ++place) sum += places[place];
      return sum;
    }
    for (std::int64_t i = 0; i < own.size(); ++i) {
      sum += rounding == Rounding::kNearest ? math::exact_nearest_error(own[i], grid)
                                            : math::exact_stochastic_error(own[i], grid);
    }
    return sum;
  }
};

/// totals[width] = sum over groups, in their order. One block of kMostBits threads.
struct SumErrors {
  static constexpr int kPhases = 1;
  using Shared = NothingShared;

  DeviceSpan<const double> errors;
  std::int64_t groups;
  DeviceSpan<double> totals;

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared&) const {
    const auto own = errors.part(at.thread * groups, groups);
    double sum = 0.0;
    for (std::int64_t i = 0; i < groups; ++i) sum += own[i];
    totals[at.thread] = sum;
  }
};

}  // namespace convoy::compress::cuda
