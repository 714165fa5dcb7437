// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cfloat>

#include "compress/codec/quantize_codec.h"
#include "tests/compress/codec/codec_kit.h"

namespace convoy::compress {
namespace {

std::vector<Level> all_widths() {
  std::vector<Level> widths;
  for (int bits = 1; bits <= 8; ++bits) widths.emplace_back(bits);
  return widths;
}

std::vector<std::vector<float>> samples() {
  std::vector<float> offset = normal_values(700, 3);
  for (float& value : offset) value += 1e4F;
  return {normal_values(1300, 1),      normal_values(90, 2, 1e-30), offset, arange(1025),
          normal_values(64, 4, 1e-40), {FLT_MAX, -FLT_MAX, 1e37F},  {2.0F}, {}};
}

TEST(QuantizeLevels, NearestAgreesWithWhatEncodingDoes) {
  for (const std::int64_t group : {64, 512}) {
    const QuantizeCodec codec({.group = group});
    for (const auto& values : samples()) {
      const auto table = codec.levels(values, all_widths());
      ASSERT_EQ(table.size(), 8U);
      for (const LevelCost& cost : table) {
        const auto payload = encoded(codec, values, cost.level);
        const double measured = squared_distance(values, decoded(codec, payload, values.size()));
        EXPECT_EQ(cost.bytes, static_cast<double>(payload.size()));
        // Differences are rounded to float32 before they are squared.
        EXPECT_NEAR(cost.error, measured, 1e-6 * measured)
            << values.size() << " values, " << to_text(cost.level) << " bits";
      }
    }
  }
}

TEST(QuantizeLevels, StochasticIsTheMeanOverSeeds) {
  constexpr int kSeeds = 300;
  const QuantizeCodec codec({.group = 64, .rounding = Rounding::kStochastic});
  for (const double scale : {1.0, 1e-36, 1e37}) {
    const auto values = normal_values(1000, 5, scale);
    for (const LevelCost& cost : codec.levels(values, all_widths())) {
      double sum = 0.0;
      double squares = 0.0;
      for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        const double error =
            squared_distance(values, round_trip(codec, values, cost.level, seed)) / cost.error;
        sum += error;
        squares += error * error;
      }
      const double mean = sum / kSeeds;
      const double deviation = std::sqrt((squares / kSeeds - mean * mean) / kSeeds);
      EXPECT_NEAR(mean, 1.0, 4.5 * deviation + 1e-6) << to_text(cost.level) << " bits, " << scale;
    }
  }
}

TEST(QuantizeLevels, ConstantLayersHaveNoErrorAndNonFiniteOnesNaN) {
  const QuantizeCodec codec;
  const std::vector<float> constant(700, 0.3F);
  for (const LevelCost& cost : codec.levels(constant, all_widths())) EXPECT_EQ(cost.error, 0.0);
  std::vector<float> bad = normal_values(700, 6);
  bad[600] = NAN;
  for (const LevelCost& cost : codec.levels(bad, all_widths())) {
    EXPECT_TRUE(std::isnan(cost.error));
  }
}

TEST(QuantizeLevels, KeepsTheOrderOfTheCandidates) {
  const auto values = normal_values(100, 7);
  const std::vector<Level> candidates{Level(8), Level::dense(), Level(2), Level(8)};
  const auto table = QuantizeCodec().levels(values, candidates);
  for (std::size_t i = 0; i < candidates.size(); ++i) EXPECT_EQ(table[i].level, candidates[i]);
  EXPECT_EQ(table[0].error, table[3].error);
  EXPECT_LT(table[0].error, table[2].error);
}

}  // namespace
}  // namespace convoy::compress
