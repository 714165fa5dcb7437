// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <limits>

#include "compress/codec/top_k_codec.h"
#include "tests/compress/codec/codec_kit.h"

namespace convoy::compress {
namespace {

using Floats = std::vector<float>;

const TopKCodec kExact;
const TopKCodec kHalf({.values = TopKValues::kFloat16});
const std::vector<Level> kDensities{Level(0.001), Level(0.01), Level(0.1), Level(0.3),
                                    Level(0.5),   Level(0.99), Level(1)};

/// Compares every level with what encoding and decoding really loses: within 1 %, and of the
/// smallest error that can be told from rounding.
void expect_measured(const TopKCodec& codec, const Floats& values) {
  double energy = 0.0;
  for (const float value : values)
    energy += static_cast<double>(value) * static_cast<double>(value);
  const auto table = codec.levels(values, kDensities);
  ASSERT_EQ(table.size(), kDensities.size());
  for (const LevelCost& cost : table) {
    const double measured = squared_distance(values, round_trip(codec, values, cost.level));
    EXPECT_NEAR(cost.error, measured, 0.01 * measured + 1e-14 * energy) << to_text(cost.level);
  }
}

TEST(TopKLevels, AgreeWithWhatIsMeasured) {
  for (const TopKCodec& codec : {kExact, kHalf}) {
    expect_measured(codec, normal_values(20'000, 1));
    expect_measured(codec, normal_values(20'000, 2, 1e-12));
    expect_measured(codec, normal_values(20'000, 3, 1e12));
    expect_measured(codec, normal_values(10, 4));
    expect_measured(codec, arange(5000));
  }
}

// Everything in one bin of the histogram, its values at both ends: the worst for an estimate.
TEST(TopKLevels, AgreeWhereOneBinHoldsEverything) {
  Floats two_ends;
  for (int i = 0; i < 3000; ++i) two_ends.push_back(i % 3 == 0 ? 1.0F : 1.0078F);
  expect_measured(kExact, two_ends);
  expect_measured(kExact, Floats(3000, -1.0F));
  expect_measured(kExact, Floats(3000, 1.0074F));
}

TEST(TopKLevels, AgreeForValuesOfVeryDifferentSizes) {
  Floats values = normal_values(10'000, 5);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] *= std::pow(10.0F, static_cast<float>(i % 30) - 15.0F);
  }
  expect_measured(kExact, values);
}

TEST(TopKLevels, NothingIsLostOfZerosOrOfNothing) {
  for (const Floats& values : {Floats(1000), Floats()}) {
    for (const LevelCost& cost : kExact.levels(values, kDensities)) EXPECT_EQ(cost.error, 0.0);
  }
}

TEST(TopKLevels, BytesAreThoseOfIndicesAtRandom) {
  const Floats values = normal_values(100'000, 6);
  for (const TopKCodec& codec : {kExact, kHalf}) {
    for (const LevelCost& cost : codec.levels(values, kDensities)) {
      const auto real = static_cast<double>(encoded(codec, values, cost.level).size());
      EXPECT_NEAR(cost.bytes, real, 0.01 * real) << to_text(cost.level);
    }
  }
}

TEST(TopKLevels, NonFiniteValuesAreNotHidden) {
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    for (const LevelCost& cost : kExact.levels(Floats{1.0F, value, 2.0F}, kDensities)) {
      EXPECT_TRUE(std::isnan(cost.error));
    }
  }
}

}  // namespace
}  // namespace convoy::compress
