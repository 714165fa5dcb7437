// SPDX-License-Identifier: Apache-2.0
// Every SIMD target must give the bytes of the plain reference.
#include <gtest/gtest.h>

#include <cfloat>
#include <cstring>

#include "compress/codec/quantize_codec.h"
#include "tests/compress/codec/codec_kit.h"
#include "tests/compress/codec/quantize_reference.h"
#include "tests/compress/codec/simd_targets.h"

namespace convoy::compress {
namespace {

struct Case {
  std::string name;
  std::vector<float> values;
};

/// Numbers of every magnitude, by the bits.
std::vector<float> wild_values(std::size_t count) {
  Random random(99);
  std::vector<float> values;
  while (values.size() < count) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (std::isfinite(value)) values.push_back(value);
  }
  return values;
}

std::vector<Case> cases() {
  std::vector<Case> all{{"normal", normal_values(1500, 1)},
                        {"tiny", normal_values(300, 2, 1e-42)},
                        {"narrow", normal_values(300, 3, 1e-33)},
                        {"large", normal_values(300, 4, 1e33)},
                        {"wild", wild_values(900)},
                        {"arange", arange(1025)},
                        {"extremes", {FLT_MAX, -FLT_MAX, 0.0F, -0.0F, FLT_MIN, 1e-45F, -1e-45F}},
                        {"wide by one step", {0.0F, FLT_MAX, FLT_MAX / 3}},
                        {"zeros", {-0.0F, 0.0F, -0.0F}},
                        {"one", {-3.25F}},
                        {"none", {}}};
  all.push_back({"offset", normal_values(200, 5)});
  for (float& value : all.back().values) value += 1e6F;
  all.push_back({"with infinity and NaN", normal_values(200, 6)});
  all.back().values[3] = INFINITY;
  all.back().values[150] = NAN;
  return all;
}

class OnEveryTarget : public testing::TestWithParam<std::int64_t> {};

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), 4 * a.size()) == 0;
}

TEST_P(OnEveryTarget, GivesTheBytesAndValuesOfTheReference) {
  const OnTarget on_target(GetParam());
  for (const Rounding rounding : {Rounding::kNearest, Rounding::kStochastic}) {
    for (const std::int64_t group : {64, 512}) {
      const QuantizeConfig config{group, rounding};
      const QuantizeCodec codec(config);
      for (const Case& test : cases()) {
        for (int bits = 1; bits <= 8; ++bits) {
          const auto expected = reference::encode(test.values, bits, config, 7);
          const auto payload = encoded(codec, test.values, Level(bits), 7);
          ASSERT_EQ(payload, expected.payload)
              << test.name << ", " << bits << " bits, groups of " << group;
          ASSERT_TRUE(same_bits(decoded(codec, payload, test.values.size()), expected.decoded))
              << test.name << ", " << bits << " bits, groups of " << group;
        }
      }
    }
  }
}

TEST_P(OnEveryTarget, AddsWithoutFusedMultiplyAdd) {
  const OnTarget on_target(GetParam());
  const QuantizeCodec codec;
  const std::vector<float> values = normal_values(1100, 8);
  const std::vector<float> start = normal_values(1100, 9);
  const float scale = 1.0F / 3.0F;
  for (int bits = 1; bits <= 8; ++bits) {
    const auto expected = reference::encode(values, bits, {}, 0);
    std::vector<float> sum = start;
    codec.add_decoded(expected.payload, scale, sum);
    std::vector<float> expected_sum = start;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float product = scale * expected.decoded[i];
      expected_sum[i] += product;
    }
    ASSERT_TRUE(same_bits(sum, expected_sum)) << bits << " bits";
  }
}

TEST_P(OnEveryTarget, MeasuresTheSameErrors) {
  const auto errors = [] {
    std::vector<double> all;
    for (const Rounding rounding : {Rounding::kNearest, Rounding::kStochastic}) {
      const std::vector<Level> candidates{Level(1), Level(3), Level(4), Level(8)};
      for (const LevelCost& cost :
           QuantizeCodec({64, rounding}).levels(normal_values(777, 10), candidates)) {
        all.push_back(cost.error);
      }
    }
    return all;
  };
  const std::vector<double> best = errors();
  const OnTarget on_target(GetParam());
  EXPECT_EQ(errors(), best);
}

INSTANTIATE_TEST_SUITE_P(Simd, OnEveryTarget, testing::ValuesIn(simd_targets()),
                         [](const auto& param) {
                           std::string name = hwy::TargetName(param.param);
                           return name;
                         });

}  // namespace
}  // namespace convoy::compress
