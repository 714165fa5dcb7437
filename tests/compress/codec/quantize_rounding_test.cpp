// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>

#include "compress/codec/quantize_codec.h"
#include "tests/compress/codec/codec_kit.h"

namespace convoy::compress {
namespace {

const QuantizeCodec kStochastic({.group = 64, .rounding = Rounding::kStochastic});
const QuantizeCodec kNearest({.group = 64});

TEST(QuantizeRounding, TheSameSeedGivesTheSameBytesAndAnotherOneOthers) {
  const auto values = normal_values(500, 1);
  EXPECT_EQ(encoded(kStochastic, values, Level(4), 5), encoded(kStochastic, values, Level(4), 5));
  EXPECT_NE(encoded(kStochastic, values, Level(4), 5), encoded(kStochastic, values, Level(4), 6));
  EXPECT_EQ(encoded(kNearest, values, Level(4), 5), encoded(kNearest, values, Level(4), 6));
}

TEST(QuantizeRounding, ABeginningIsEncodedAlikeWhateverFollows) {
  const auto values = normal_values(512, 2);
  const std::vector<float> first(values.begin(), values.begin() + 128);
  const auto whole = encoded(kStochastic, values, Level(4), 5);
  const auto part = encoded(kStochastic, first, Level(4), 5);
  EXPECT_TRUE(std::equal(part.begin() + 16, part.end(), whole.begin() + 16));
}

TEST(QuantizeRounding, EqualGroupsGetDifferentRandomNumbers) {
  auto values = normal_values(64, 3);
  values.insert(values.end(), values.begin(), values.begin() + 64);
  const auto out = round_trip(kStochastic, values, Level(3), 5);
  EXPECT_NE(std::vector<float>(out.begin(), out.begin() + 64),
            std::vector<float>(out.begin() + 64, out.end()));
}

TEST(QuantizeRounding, NearestTakesTheNearerCodeAndTheEvenOneOfTwo) {
  // min 0 and step 1: values are places on the grid.
  const std::vector<float> values{0.0F, 3.0F, 0.49F, 0.51F, 0.5F, 1.5F, 2.5F, 2.4F};
  const std::vector<float> expected{0.0F, 3.0F, 0.0F, 1.0F, 0.0F, 2.0F, 2.0F, 2.0F};
  EXPECT_EQ(round_trip(kNearest, values, Level(2)), expected);
}

/// Sums over seeds of what stochastic rounding makes of `values`.
std::vector<double> mean_decoded(const std::vector<float>& values, int bits, int seeds) {
  std::vector<double> mean(values.size());
  for (int seed = 0; seed < seeds; ++seed) {
    const auto out = round_trip(kStochastic, values, Level(bits), static_cast<std::uint64_t>(seed));
    for (std::size_t i = 0; i < values.size(); ++i) mean[i] += out[i] / static_cast<double>(seeds);
  }
  return mean;
}

TEST(QuantizeRounding, StochasticIsRightInTheMean) {
  constexpr int kSeeds = 4000;
  const auto values = normal_values(64, 4);
  const auto [lo, hi] = std::minmax_element(values.begin(), values.end());
  for (const int bits : {1, 2, 4, 8}) {
    const double step = (static_cast<double>(*hi) - *lo) / ((1 << bits) - 1);
    const auto mean = mean_decoded(values, bits, kSeeds);
    double chi_squared = 0.0;
    int counted = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double place = (static_cast<double>(values[i]) - *lo) / step;
      const double fraction = place - std::floor(place);
      const double deviation = step * std::sqrt(fraction * (1 - fraction) / kSeeds) + 1e-6;
      const double off = (mean[i] - values[i]) / deviation;
      EXPECT_LT(std::fabs(off), 4.5) << "value " << i << ", " << bits << " bits";
      if (fraction < 0.01 || fraction > 0.99) continue;
      chi_squared += off * off;
      ++counted;
    }
    // Four standard deviations of a chi-squared variable with `counted` degrees of freedom.
    EXPECT_NEAR(chi_squared, counted, 4 * std::sqrt(2.0 * counted)) << bits << " bits";
  }
}

TEST(QuantizeRounding, NeighboursAreRoundedIndependently) {
  // All values half-way between two codes: each goes up in half of the cases, and two neighbours
  // together in a quarter.
  std::vector<float> values(64, 0.5F);
  values[0] = 0.0F;
  values[63] = 1.0F;
  constexpr int kSeeds = 2000;
  int up = 0;
  int both_up = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    const auto out = round_trip(kStochastic, values, Level(1), static_cast<std::uint64_t>(seed));
    for (std::size_t i = 1; i < 62; ++i) {
      up += out[i] == 1.0F;
      both_up += out[i] == 1.0F && out[i + 1] == 1.0F;
    }
  }
  const double pairs = 61.0 * kSeeds;
  EXPECT_NEAR(up / pairs, 0.5, 4 * std::sqrt(0.25 / pairs));
  EXPECT_NEAR(both_up / pairs, 0.25, 6 * std::sqrt(0.1875 / pairs));
}

}  // namespace
}  // namespace convoy::compress
