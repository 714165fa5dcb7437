// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/codec/internal/magnitude_bin.h"

namespace convoy::compress::internal {

/// The squared error of keeping the k largest magnitudes, for every k, from one pass over the
/// values (three for float16): a histogram of magnitudes with sums of squares.
///
/// Bins hold the magnitudes that have the same bfloat16 when cut off: their squares differ by at
/// most 1/64. Of the bin that k cuts, only bounds of the sum of its smallest squares are known; the
/// middle is taken, so the error is off by less than 0.8 % of that sum.
class MagnitudeHistogram {
 public:
  /// @param as_half  kept values are rounded as ScaledHalf does, which the error then includes.
  MagnitudeHistogram(std::span<const float> values, bool as_half);
  /// From bins that were filled elsewhere.
  MagnitudeHistogram(std::int64_t numel, const std::vector<MagnitudeBin>& bins);
  /// @param k  from 0 to the number of values. NaN if a value is not finite.
  [[nodiscard]] double error(std::int64_t k) const;

 private:
  struct Bin {
    std::int64_t count = 0;
    double squares = 0.0;
    double rounding = 0.0;  ///< squared error of keeping all of them
  };

  std::int64_t numel_ = 0;
  std::vector<Bin> bins_;
};

}  // namespace convoy::compress::internal
