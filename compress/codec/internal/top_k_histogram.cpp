// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/internal/top_k_histogram.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "compress/codec/internal/magnitude.h"
#include "compress/codec/internal/scaled_half.h"

namespace convoy::compress::internal {
namespace {

constexpr int kShift = 16;
constexpr std::size_t kFiniteBins = kInfinityKey >> kShift;
constexpr std::size_t kBins = std::size_t{1} << (kKeyBits - kShift);

double square(double value) { return value * value; }

/// The square where bin `index` begins.
double lowest_square(std::size_t index) {
  return square(
      static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(index << kShift))));
}

/// Estimated sum of the `part` smallest of `count` squares between `low` and `high` whose sum is
/// `sum`: the middle between the least and the most that it can be.
double smallest_squares(std::int64_t part, std::int64_t count, double sum, double low,
                        double high) {
  const auto taken = static_cast<double>(part);
  const auto left = static_cast<double>(count - part);
  const double least = std::max(taken * low, sum - left * high);
  const double most = sum * (taken / static_cast<double>(count));
  return (least + most) / 2.0;
}

}  // namespace

MagnitudeHistogram::MagnitudeHistogram(std::span<const float> values, bool as_half)
    : numel_(static_cast<std::int64_t>(values.size())), bins_(kBins) {
  as_half ? add_values_as_half(values) : add_values(values);
}

void MagnitudeHistogram::add_values(std::span<const float> values) {
  for (const float value : values) {
    Bin& bin = bins_[key_of(value) >> kShift];
    ++bin.count;
    bin.squares += square(static_cast<double>(value));
  }
}

void MagnitudeHistogram::add_values_as_half(std::span<const float> values) {
  std::uint32_t largest = 0;
  for (const float value : values) largest = std::max(largest, key_of(value));
  const ScaledHalf half = ScaledHalf::for_largest(largest);
  for (const float value : values) {
    Bin& bin = bins_[key_of(value) >> kShift];
    ++bin.count;
    bin.squares += square(static_cast<double>(value));
    const float kept = half.widen(half.narrow(value));
    bin.rounding += square(static_cast<double>(value) - static_cast<double>(kept));
  }
}

double MagnitudeHistogram::error(std::int64_t k) const {
  const bool finite = std::all_of(bins_.begin() + kFiniteBins, bins_.end(),
                                  [](const Bin& bin) { return bin.count == 0; });
  if (!finite) return std::numeric_limits<double>::quiet_NaN();
  std::int64_t dropped = numel_ - k;  // the smallest ones, from the bottom bin on
  double error = 0.0;
  for (std::size_t index = 0; index < kFiniteBins; ++index) {
    const Bin& bin = bins_[index];
    const std::int64_t part = std::min(dropped, bin.count);
    dropped -= part;
    if (part == bin.count) {
      error += bin.squares;
    } else {
      const auto kept = static_cast<double>(bin.count - part) / static_cast<double>(bin.count);
      error += smallest_squares(part, bin.count, bin.squares, lowest_square(index),
                                lowest_square(index + 1)) +
               kept * bin.rounding;
    }
  }
  return error;
}

}  // namespace convoy::compress::internal
