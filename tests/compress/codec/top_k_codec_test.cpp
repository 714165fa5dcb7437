// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/top_k_codec.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/errors.h"
#include "tests/compress/codec/codec_kit.h"
#include "tests/compress/codec/simd_targets.h"
#include "tests/compress/codec/top_k_reference.h"

namespace convoy::compress {
namespace {

using Floats = std::vector<float>;

const TopKCodec kExact;
const TopKCodec kHalf({.values = TopKValues::kFloat16});

Level keeping(std::int64_t k, std::size_t numel) {
  return Level((static_cast<double>(k) - 0.5) / static_cast<double>(numel));
}

void expect_largest(const Floats& values, std::int64_t k) {
  SCOPED_TRACE(testing::Message() << k << " of " << values.size());
  const Floats expected = only(values, largest_by_sorting(values, k));
  EXPECT_TRUE(round_trip(kExact, values, keeping(k, values.size())) == expected);
}

TEST(TopK, KeepsTheLargestMagnitudes) {
  const Floats values{1.0F, -5.0F, 0.5F, 3.0F, -0.25F, 4.0F};
  EXPECT_EQ(round_trip(kExact, values, Level(0.5)), (Floats{0.0F, -5.0F, 0.0F, 3.0F, 0.0F, 4.0F}));
}

TEST(TopK, AgreesWithSortingAtEverySizeAndDensity) {
  for (const std::size_t numel : {1, 2, 63, 64, 65, 1000, 5000}) {
    const Floats values = normal_values(numel, numel);
    for (const double part : {0.0, 0.01, 0.3, 0.99, 1.0}) {
      const auto k = static_cast<std::int64_t>(part * static_cast<double>(numel));
      expect_largest(values, std::max<std::int64_t>(1, k));
    }
  }
}

// Large enough for the threshold to be guessed from a sample.
TEST(TopK, AgreesWithSortingWhereASampleIsTaken) {
  const Floats values = normal_values(200'000, 1);
  for (const std::int64_t k : {1, 200, 2000, 40'000, 150'000}) expect_largest(values, k);
}

TEST(TopK, AgreesWithSortingWhereTheSampleMisleads) {
  // Every sixth value, those that a sample takes, is small; then large.
  Floats values = normal_values(200'000, 2);
  for (std::size_t i = 0; i < values.size(); i += 6) values[i] *= 1e-3F;
  expect_largest(values, 2000);
  for (std::size_t i = 0; i < values.size(); i += 6) values[i] *= 1e6F;
  expect_largest(values, 100);
  expect_largest(values, 30'000);
}

TEST(TopK, TiesGoToTheLowerIndex) {
  EXPECT_EQ(round_trip(kExact, {2.0F, -2.0F, 2.0F, -2.0F}, Level(0.5)),
            (Floats{2.0F, -2.0F, 0.0F, 0.0F}));
  EXPECT_EQ(round_trip(kExact, {1.0F, 3.0F, -1.0F, 1.0F}, Level(0.5)),
            (Floats{1.0F, 3.0F, 0.0F, 0.0F}));
  for (const float value : {0.0F, 0.75F}) {
    const Floats equal(200'000, value);
    expect_largest(equal, 5000);
  }
}

TEST(TopK, FillsUpWithZerosWhereTooFewValuesAreNotZero) {
  Floats values(200'000);
  for (std::size_t i = 0; i < 50; ++i) values[i * 3777] = -1.0F;
  expect_largest(values, 1000);
  expect_largest(values, 50);
  expect_largest(values, 51);
  expect_largest(values, 20);
  std::reverse(values.begin(), values.end());
  expect_largest(values, 1000);
  values[5] = 1e-45F;  // the smallest that is not zero
  expect_largest(values, 51);
}

TEST(TopK, KeepsTheCeilingOfDensityTimesCountAndAtLeastOne) {
  const auto kept = [](std::size_t numel, double density) {
    const Floats out = round_trip(kExact, Floats(numel, 1.0F), Level(density));
    return std::count(out.begin(), out.end(), 1.0F);
  };
  EXPECT_EQ(kept(1000, 0.01), 10);
  EXPECT_EQ(kept(1001, 0.01), 11);
  EXPECT_EQ(kept(10, 0.001), 1);
  EXPECT_EQ(kept(1, 0.5), 1);
  EXPECT_EQ(kept(7, 1.0), 7);
}

TEST(TopK, DensityOneIsExact) {
  const Floats values = normal_values(1000, 1);
  EXPECT_EQ(round_trip(kExact, values, Level(1)), values);
}

TEST(TopK, NothingIsEncodedAsNothing) {
  EXPECT_TRUE(round_trip(kExact, {}, Level(0.1)).empty());
  EXPECT_TRUE(round_trip(kHalf, {}, Level(1)).empty());
}

TEST(TopK, AddsScaledValues) {
  const auto payload = encoded(kExact, {1.0F, -8.0F, 2.0F, 4.0F}, Level(0.5));
  Floats out{1.0F, 1.0F, 1.0F, 1.0F};
  kExact.add_decoded(payload, 0.5F, out);
  EXPECT_EQ(out, (Floats{1.0F, -3.0F, 1.0F, 3.0F}));
}

template <typename T>
void expect_same_as_floats(const std::vector<T>& values) {
  Floats widened;
  for (const T value : values) widened.push_back(to_float(value));
  for (const double density : {0.001, 0.1}) {
    EXPECT_TRUE(encoded(kExact, Values(std::span<const T>(values)), Level(density)) ==
                encoded(kExact, widened, Level(density)));
  }
}

// Ten bits of mantissa or less: there are many ties.
TEST(TopK, SixteenBitInputsAreEncodedAsTheFloatsThatTheyAre) {
  for (const std::size_t numel : {100, 50'000}) {
    std::vector<Half> halves;
    std::vector<BFloat16> brains;
    for (const float value : normal_values(numel, 3)) {
      halves.push_back(to_half(value));
      brains.push_back(to_bfloat16(value));
    }
    expect_same_as_floats(halves);
    expect_same_as_floats(brains);
  }
}

TEST(TopK, SixteenBitInputsThatAreMostlyZeroAreFilledUp) {
  std::vector<Half> values(50'000);
  for (std::size_t i = 7; i < values.size(); i += 500) values[i] = Half{1};
  expect_same_as_floats(values);
}

TEST(TopK, EveryTargetGivesTheSamePayload) {
  const Floats values = normal_values(150'001, 4);
  std::vector<Half> halves;
  for (const float value : values) halves.push_back(to_half(value));
  const auto expected =
      encoded(kExact, only(values, largest_by_sorting(values, 1501)), Level(0.01));
  const auto of_halves = encoded(kExact, Values(std::span<const Half>(halves)), Level(0.01));
  for (const std::int64_t target : simd_targets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    const OnTarget on(target);
    EXPECT_TRUE(encoded(kExact, values, Level(0.01)) == expected);
    EXPECT_TRUE(encoded(kExact, Values(std::span<const Half>(halves)), Level(0.01)) == of_halves);
  }
}

TEST(TopK, NonFiniteValuesAreTheLargestAndGiveAValidPayload) {
  Floats values = normal_values(200'000, 5);
  values[7] = std::numeric_limits<float>::quiet_NaN();
  values[70] = -std::numeric_limits<float>::infinity();
  values[150'000] = -std::numeric_limits<float>::quiet_NaN();
  for (const TopKCodec& codec : {kExact, kHalf}) {
    const Floats out = round_trip(codec, values, keeping(3, values.size()));
    EXPECT_TRUE(std::isnan(out[7]));
    EXPECT_TRUE(std::isinf(out[70]));
    EXPECT_TRUE(std::isnan(out[150'000]));
    EXPECT_EQ(std::count(out.begin(), out.end(), 0.0F), 200'000 - 3);
  }
}

TEST(TopK, Float16ValuesKeepElevenBitsWhateverTheScale) {
  for (const float scale : {1e-38F, 1e-20F, 1.0F, 1e20F, 1e37F}) {
    Floats values = normal_values(1000, 6);
    for (float& value : values) value *= scale;
    const Floats out = round_trip(kHalf, values, Level(1));
    const double largest = static_cast<double>(*std::max_element(
        values.begin(), values.end(), [](float a, float b) { return std::abs(a) < std::abs(b); }));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double bound = std::max(std::ldexp(std::abs(static_cast<double>(values[i])), -11),
                                    std::ldexp(std::abs(largest), -39));
      EXPECT_NEAR(out[i], values[i], bound + 1e-45) << i << " at " << scale;
    }
  }
}

TEST(TopK, Float16RepresentsItsOwnValuesExactly) {
  const Floats values{65504.0F, -1.5F, 0.0F, 2048.0F, 1.0F, -0.125F};
  EXPECT_EQ(round_trip(kHalf, values, Level(1)), values);
}

TEST(TopK, Float16DoesNotRoundTheLargestFloatsToInfinity) {
  const Floats limits{std::numeric_limits<float>::max(), -std::numeric_limits<float>::max()};
  EXPECT_EQ(round_trip(kHalf, limits, Level(1)), limits);
}

TEST(TopK, SizesOfHugeLayersAreExact) {
  const std::int64_t numel = (std::int64_t{1} << 33) + 1;
  const std::int64_t k = 85'899'346;  // 1 %, rounded up
  const auto gaps = static_cast<std::size_t>(k + (numel - k) / 255);
  const auto kept = static_cast<std::size_t>(k);
  EXPECT_EQ(kExact.max_bytes(numel, Level(0.01)), 24 + 4 * kept + gaps);
  EXPECT_EQ(kHalf.max_bytes(numel, Level(0.01)), 24 + 2 * kept + gaps);
  EXPECT_NEAR(static_cast<double>(kHalf.typical_bytes(numel, Level(0.01))), 3.083 * 85'899'346,
              1e-3 * 85'899'346);
  EXPECT_EQ(kExact.max_bytes(numel, Level(1)), 24 + 4 * 8'589'934'593 + (std::size_t{1} << 30) + 1);
}

TEST(TopK, OnlyDensitiesAreLevels) {
  for (const double level : {0.0, -0.1, 1.5}) {
    EXPECT_THROW(kExact.check_level(Level(level)), ContractError) << level;
  }
  EXPECT_THROW(kExact.check_level(Level::dense()), ContractError);
  EXPECT_THROW(kExact.check_level(Level(std::nan(""))), ContractError);
  kExact.check_level(Level(1));
}

}  // namespace
}  // namespace convoy::compress
