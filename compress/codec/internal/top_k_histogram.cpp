// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/internal/top_k_histogram.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "compress/codec/internal/scaled_half.h"

namespace convoy::compress::internal {
namespace {

double square(double value) { return value * value; }

/// The square where bin `index` begins.
double lowest_square(std::size_t index) {
  return square(
      static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(index << kBinShift))));
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

constexpr int kCountShift = 40;
/// So many values cannot make a count and a sum of lows run into each other.
constexpr std::size_t kMostTallied = (std::size_t{1} << (64 - kCountShift)) - 1;

/// Bins while values are counted: count and lows share a word, so that a value costs two additions
/// in memory. Two arrays: of one with pairs GCC makes vectors, which take longer.
struct Tallies {
  std::vector<std::uint64_t> counts_and_lows = std::vector<std::uint64_t>(kBins);
  std::vector<std::uint64_t> low_squares = std::vector<std::uint64_t>(kBins);

  void add(std::span<const float> values) {
    std::uint64_t* const pairs = counts_and_lows.data();
    std::uint64_t* const squares = low_squares.data();
    for (const float value : values) {
      const std::uint64_t low = low_part(key_of(value));
      pairs[bin_of(value)] += (std::uint64_t{1} << kCountShift) + low;
      squares[bin_of(value)] += low * low;
    }
  }

  void add_to(std::vector<MagnitudeBin>& bins) const {
    constexpr std::uint64_t kLows = (std::uint64_t{1} << kCountShift) - 1;
    for (std::size_t i = 0; i < bins.size(); ++i) {
      bins[i].count += counts_and_lows[i] >> kCountShift;
      bins[i].lows += counts_and_lows[i] & kLows;
      bins[i].low_squares += low_squares[i];
    }
  }
};

void add_values(std::span<const float> values, std::vector<MagnitudeBin>& bins) {
  while (!values.empty()) {
    const auto part = values.first(std::min(values.size(), kMostTallied));
    Tallies tallies;
    tallies.add(part);
    tallies.add_to(bins);
    values = values.subspan(part.size());
  }
}

void add_roundings(std::span<const float> values, std::vector<MagnitudeBin>& bins) {
  std::uint32_t largest = 0;
  for (const float value : values) largest = std::max(largest, key_of(value));
  const ScaledHalf half = ScaledHalf::for_largest(largest);
  const auto add = [](std::uint64_t& sum, std::uint64_t term) { sum += term; };
  for (const float value : values) add_rounding(bins[bin_of(value)], value, half, add);
}

std::vector<MagnitudeBin> fill_bins(std::span<const float> values, bool as_half) {
  std::vector<MagnitudeBin> bins(kBins);
  add_values(values, bins);
  if (as_half) add_roundings(values, bins);
  return bins;
}

}  // namespace

MagnitudeHistogram::MagnitudeHistogram(std::span<const float> values, bool as_half)
    : MagnitudeHistogram(static_cast<std::int64_t>(values.size()), fill_bins(values, as_half)) {}

MagnitudeHistogram::MagnitudeHistogram(std::int64_t numel, const std::vector<MagnitudeBin>& bins)
    : numel_(numel) {
  bins_.reserve(bins.size());
  for (std::size_t i = 0; i < bins.size(); ++i) {
    const auto count = static_cast<std::int64_t>(bins[i].count);
    bins_.push_back({count, squares_of(bins[i], i), rounding_of(bins[i], i)});
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
