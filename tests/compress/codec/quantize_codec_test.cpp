// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/quantize_codec.h"

#include <gtest/gtest.h>

#include <cfloat>

#include "base/errors.h"
#include "tests/compress/codec/codec_kit.h"

namespace convoy::compress {
namespace {

const Rounding kRoundings[] = {Rounding::kNearest, Rounding::kStochastic};

/// Checks the documented bound of every value: half a step of its group (nearest) or one
/// (stochastic), and what float32 rounds. Steps are computed here, in float64.
void expect_within_bound(const std::vector<float>& values, const std::vector<float>& decoded,
                         int bits, QuantizeConfig config, const std::string& what) {
  const double share = config.rounding == Rounding::kNearest ? 0.5 : 1.0;
  const auto group = static_cast<std::size_t>(config.group);
  for (std::size_t from = 0; from < values.size(); from += group) {
    const std::size_t end = std::min(from + group, values.size());
    const auto [lo, hi] = std::minmax_element(&values[from], values.data() + end);
    const double step = (static_cast<double>(*hi) - *lo) / ((1 << bits) - 1);
    const double rounding = std::max(std::fabs(*lo), std::fabs(*hi)) * 0x1p-22 + 1e-44;
    for (std::size_t i = from; i < end; ++i) {
      const double error = std::fabs(static_cast<double>(values[i]) - decoded[i]);
      ASSERT_LE(error, share * step * (1 + 1e-4) + rounding)
          << what << ", value " << i << " = " << values[i] << ", " << bits << " bits, groups of "
          << config.group;
    }
  }
}

void expect_bounds_of(const std::vector<float>& values, const std::string& what) {
  for (const std::int64_t group : {64, 512, 2048}) {
    for (const Rounding rounding : kRoundings) {
      const QuantizeCodec codec({group, rounding});
      for (int bits = 1; bits <= 8; ++bits) {
        expect_within_bound(values, round_trip(codec, values, Level(bits), 3), bits,
                            {group, rounding}, what);
      }
    }
  }
}

TEST(Quantize, StaysWithinHalfAStepOrOneStep) {
  expect_bounds_of(normal_values(2600, 1), "normal");
  std::vector<float> offset = normal_values(700, 2);
  for (float& value : offset) value += 1000.0F;
  expect_bounds_of(offset, "offset");
}

TEST(Quantize, StaysWithinItsBoundAtTheEndsOfFloat32) {
  expect_bounds_of({FLT_MAX, -FLT_MAX, 1e38F, 0.0F, -3e38F}, "wider than float32");
  expect_bounds_of({0.0F, FLT_MAX, 1e38F}, "as wide as float32");
  expect_bounds_of({1e-45F, 3e-45F, 7e-45F, 2e-44F}, "a few subnormal numbers");
  expect_bounds_of(normal_values(200, 3, 1e-41), "subnormal");
  expect_bounds_of({-FLT_MIN, FLT_MIN, 1e-45F, -0.0F}, "around zero");
  expect_bounds_of({1.0F, std::nextafterf(1.0F, 2.0F)}, "neighbours");
}

TEST(Quantize, ArangeStaysWithinAStepAtAllSizes) {
  for (const std::size_t count : {128U, 1024U, 1025U, 16384U}) {
    for (const std::int64_t group : {64, 512, 2048}) {
      for (const int bits : {2, 3, 4, 6, 8}) {
        for (const Rounding rounding : kRoundings) {
          const auto values = arange(count);
          const QuantizeCodec codec({group, rounding});
          expect_within_bound(values, round_trip(codec, values, Level(bits)), bits,
                              {group, rounding}, "arange");
        }
      }
    }
  }
}

TEST(Quantize, ArangeOfAMillionStaysWithinAStep) {
  const auto values = arange(1'000'000);
  for (const std::int64_t group : {64, 512, 2048}) {
    for (const int bits : {2, 3, 4, 6, 8}) {
      const auto out = round_trip(QuantizeCodec({group}), values, Level(bits));
      double largest = 0.0;
      for (std::size_t i = 0; i < values.size(); ++i) {
        largest = std::max(largest, std::fabs(static_cast<double>(values[i]) - out[i]));
      }
      // All groups are alike but the last, which is shorter. Near a million float32 rounds to 1/16.
      const auto width = static_cast<double>(group - 1);
      EXPECT_LE(largest, 0.5 * width / ((1 << bits) - 1) * 1.0001 + 0.25)
          << bits << " bits, groups of " << group;
    }
  }
}

TEST(Quantize, ConstantGroupsAreExactAtEveryWidth) {
  for (const float constant : {0.1F, -7.0F, 0.0F, FLT_MAX, -FLT_MAX, 1e-45F, 3.0e-39F}) {
    for (const std::size_t count : {1U, 5U, 511U, 512U, 1500U}) {
      const std::vector<float> values(count, constant);
      for (const Rounding rounding : kRoundings) {
        for (int bits = 1; bits <= 8; ++bits) {
          EXPECT_EQ(round_trip(QuantizeCodec({512, rounding}), values, Level(bits), 11), values)
              << constant << " x " << count << ", " << bits << " bits";
        }
      }
    }
  }
}

TEST(Quantize, MinusZeroBecomesZero) {
  const auto out = round_trip(QuantizeCodec(), {-0.0F, -0.0F}, Level(4));
  EXPECT_EQ(out, (std::vector<float>{0.0F, 0.0F}));
  EXPECT_FALSE(std::signbit(out[0]));
}

TEST(Quantize, EmptyLayersAreAHeader) {
  const QuantizeCodec codec;
  const auto payload = encoded(codec, std::vector<float>{}, Level(4));
  EXPECT_EQ(payload.size(), 16U);
  EXPECT_TRUE(decoded(codec, payload, 0).empty());
}

TEST(Quantize, AGroupThatIsNotFiniteIsDecodedAsNaNAndItsNeighboursAsUsual) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    std::vector<float> values = normal_values(192, 4);
    values[70] = bad;
    for (int bits = 1; bits <= 8; ++bits) {
      const auto out = round_trip(QuantizeCodec({64}), values, Level(bits));
      for (std::size_t i = 0; i < values.size(); ++i) {
        EXPECT_EQ(std::isnan(out[i]), i >= 64 && i < 128) << i << ", " << bits << " bits";
      }
    }
  }
}

TEST(Quantize, ThePayloadIsExactlyAsLargeAsPromised) {
  for (const std::size_t count : {0U, 1U, 63U, 64U, 65U, 511U, 513U, 1024U, 1025U}) {
    const auto values = normal_values(count, 5);
    for (int bits = 1; bits <= 8; ++bits) {
      const QuantizeCodec codec;
      const std::size_t scales = (count + 511) / 512 * 8;
      const std::size_t codes = (count * static_cast<std::size_t>(bits) + 7) / 8;
      EXPECT_EQ(encoded(codec, values, Level(bits)).size(), 16 + scales + codes);
      EXPECT_EQ(codec.max_bytes(static_cast<std::int64_t>(count), Level(bits)),
                16 + scales + codes);
    }
  }
}

TEST(Quantize, WritesNothingBeyondItsPayload) {
  const auto mark = std::byte{0xa5};
  for (const std::size_t count : {0U, 1U, 9U, 64U, 70U, 513U}) {
    const auto values = normal_values(count, 5);
    for (int bits = 1; bits <= 8; ++bits) {
      std::vector<std::byte> out(2000, mark);
      const std::size_t used = QuantizeCodec().encode(std::span(values), Level(bits), 0, out);
      EXPECT_EQ(std::count(out.begin() + static_cast<std::ptrdiff_t>(used), out.end(), mark),
                static_cast<std::ptrdiff_t>(2000 - used))
          << count << " values, " << bits << " bits";
    }
  }
}

TEST(Quantize, SizesAreRightBeyondTwoToThe31) {
  const QuantizeCodec codec;
  const std::int64_t numel = (std::int64_t{1} << 33) + 1;
  // 2^24 groups of 512 and one of a single value.
  const std::size_t scales = ((std::size_t{1} << 24) + 1) * 8;
  EXPECT_EQ(codec.max_bytes(numel, Level(8)), 16 + scales + (std::size_t{1} << 33) + 1);
  EXPECT_EQ(codec.max_bytes(numel, Level(3)), 16 + scales + 3 * (std::size_t{1} << 30) + 1);
}

TEST(Quantize, RefusesLevelsAndGroupsThatItDoesNotHave) {
  const QuantizeCodec codec;
  for (const double bits : {0.5, 2.5, 9.0}) {
    EXPECT_THROW((void)codec.max_bytes(1, Level(bits)), ContractError) << bits;
  }
  EXPECT_THROW((void)codec.max_bytes(1, Level::dense()), ContractError);
  for (const std::int64_t group : {-64, 0, 1, 100, 1 << 21}) {
    EXPECT_THROW(QuantizeCodec({.group = group}), ContractError) << group;
  }
}

template <typename T>
std::vector<float> floats_of(const std::vector<T>& values) {
  std::vector<float> floats;
  for (const T value : values) floats.push_back(to_float(value));
  return floats;
}

TEST(Quantize, SixteenBitInputGivesThePayloadOfItsFloats) {
  std::vector<Half> halves;
  std::vector<BFloat16> brains;
  for (const float value : normal_values(1300, 6)) {
    halves.push_back(to_half(value));
    brains.push_back(to_bfloat16(value));
  }
  for (const Rounding rounding : kRoundings) {
    const QuantizeCodec codec({512, rounding});
    for (int bits = 1; bits <= 8; ++bits) {
      EXPECT_EQ(encoded(codec, Values(std::span(halves)), Level(bits), 9),
                encoded(codec, floats_of(halves), Level(bits), 9));
      EXPECT_EQ(encoded(codec, Values(std::span(brains)), Level(bits), 9),
                encoded(codec, floats_of(brains), Level(bits), 9));
    }
  }
}

TEST(Quantize, AddsWhatItDecodes) {
  for (const std::size_t count : {100U, 512U, 1025U}) {
    const auto values = normal_values(count, 7);
    const QuantizeCodec codec;
    const auto payload = encoded(codec, values, Level(4));
    const auto once = decoded(codec, payload, count);
    std::vector<float> sum = normal_values(count, 8);
    std::vector<float> expected = sum;
    codec.add_decoded(payload, -0.3F, sum);
    for (std::size_t i = 0; i < count; ++i) expected[i] += -0.3F * once[i];
    EXPECT_EQ(sum, expected);
  }
}

}  // namespace
}  // namespace convoy::compress
