// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/half_codec.h"

#include <gtest/gtest.h>

#include <cfloat>
#include <cstring>

#include "base/errors.h"
#include "tests/compress/codec/codec_kit.h"
#include "tests/compress/codec/simd_targets.h"

namespace convoy::compress {
namespace {

const HalfCodec kFloat16({HalfFormat::kFloat16});
const HalfCodec kBFloat16({HalfFormat::kBFloat16});
const Level kLevel(16);

/// Rounds in float64 to `digits` significant bits, the last of them never below `least`: another
/// way than the codec's, which works on bits.
double rounded(float value, int digits, double least, double largest) {
  if (value == 0.0F || !std::isfinite(value)) return value;
  const double last = std::max(std::ldexp(1.0, std::ilogb(value) - digits + 1), least);
  return std::clamp(std::nearbyint(value / last) * last, -largest, largest);
}

double as_float16(float value) { return rounded(value, 11, 0x1p-24, 65504.0); }
double as_bfloat16(float value) { return rounded(value, 8, 0x1p-133, 0x1.fep127); }

std::vector<float> all_magnitudes() {
  Random random(5);
  std::vector<float> values{0.0F,    65504.0F,   65519.9F, 65520.0F, -65520.0F, 1e6F,   FLT_MAX,
                            FLT_MIN, -FLT_MAX,   1e-45F,   0x1p-24F, 0x1p-25F,  6e-8F,  3e-8F,
                            1.0F,    1.0009766F, 0.1F,     -0.1F,    2049.0F,   2051.0F};
  while (values.size() < 9000) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (std::isfinite(value)) values.push_back(value);
    values.push_back(static_cast<float>(random.normal() * std::exp2(random.normal() * 8)));
  }
  return values;
}

class HalfOnEveryTarget : public testing::TestWithParam<std::int64_t> {};

TEST_P(HalfOnEveryTarget, RoundsToNearestAndSaturates) {
  const OnTarget on_target(GetParam());
  const auto values = all_magnitudes();
  const auto float16 = round_trip(kFloat16, values, kLevel);
  const auto bfloat16 = round_trip(kBFloat16, values, kLevel);
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(float16[i], as_float16(values[i])) << values[i];
    ASSERT_EQ(bfloat16[i], as_bfloat16(values[i])) << values[i];
  }
}

TEST_P(HalfOnEveryTarget, AddsWithoutFusedMultiplyAdd) {
  const OnTarget on_target(GetParam());
  const auto values = normal_values(1003, 1);
  for (const HalfCodec* codec : {&kFloat16, &kBFloat16}) {
    const auto payload = encoded(*codec, values, kLevel);
    const auto once = decoded(*codec, payload, values.size());
    std::vector<float> sum = normal_values(1003, 2);
    std::vector<float> expected = sum;
    codec->add_decoded(payload, 1.0F / 3.0F, sum);
    for (std::size_t i = 0; i < sum.size(); ++i) {
      const float product = (1.0F / 3.0F) * once[i];
      expected[i] += product;
    }
    EXPECT_EQ(sum, expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Simd, HalfOnEveryTarget, testing::ValuesIn(simd_targets()),
                         [](const auto& target) -> std::string {
                           return hwy::TargetName(target.param);
                         });

TEST(Half, CountsWhatItSaturates) {
  std::vector<float> values(5000, 1.0F);
  EXPECT_EQ(count_saturated(std::span<const float>(values), HalfFormat::kFloat16), 0);
  values[3] = 65519.0F;  // rounds down to the largest number
  values[4] = 65520.0F;
  values[4500] = -1e30F;
  values[4501] = FLT_MAX;
  values[4502] = INFINITY;
  values[4503] = NAN;
  EXPECT_EQ(count_saturated(std::span<const float>(values), HalfFormat::kFloat16), 3);
  EXPECT_EQ(count_saturated(std::span<const float>(values), HalfFormat::kBFloat16), 1);
}

TEST(Half, InfinitiesAndNaNStay) {
  for (const HalfCodec* codec : {&kFloat16, &kBFloat16}) {
    const auto out = round_trip(*codec, {INFINITY, -INFINITY, NAN, -0.0F}, kLevel);
    EXPECT_EQ(out[0], INFINITY);
    EXPECT_EQ(out[1], -INFINITY);
    EXPECT_TRUE(std::isnan(out[2]));
    EXPECT_TRUE(out[3] == 0.0F && std::signbit(out[3]));
  }
}

TEST(Half, SixteenBitInputOfTheSameFormatIsExact) {
  std::vector<Half> halves;
  std::vector<BFloat16> brains;
  std::vector<float> half_floats;
  std::vector<float> brain_floats;
  for (std::uint32_t bits = 0; bits < 0x10000U; bits += 7) {
    halves.push_back({static_cast<std::uint16_t>(bits)});
    brains.push_back({static_cast<std::uint16_t>(bits)});
    half_floats.push_back(to_float(halves.back()));
    brain_floats.push_back(to_float(brains.back()));
  }
  const auto a = encoded(kFloat16, Values(std::span(halves)), kLevel);
  const auto b = encoded(kBFloat16, Values(std::span(brains)), kLevel);
  EXPECT_EQ(a, encoded(kFloat16, half_floats, kLevel));
  EXPECT_EQ(b, encoded(kBFloat16, brain_floats, kLevel));
  for (std::size_t i = 0; i < halves.size(); ++i) {
    if (std::isnan(half_floats[i]) || std::isnan(brain_floats[i])) continue;
    ASSERT_EQ(std::memcmp(&a[16 + 2 * i], &halves[i], 2), 0) << i;
    ASSERT_EQ(std::memcmp(&b[16 + 2 * i], &brains[i], 2), 0) << i;
  }
}

TEST(Half, HasTheDocumentedBytes) {
  // 1 is 0x3c00 in float16 and 0x3f80 in bfloat16, -2 is 0xc000 in both.
  const unsigned float16[] = {'H', 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x3c, 0, 0xc0};
  const unsigned bfloat16[] = {'H', 1, 1, 0, 0, 0, 0,    0,    2, 0,
                               0,   0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0xc0};
  const auto a = encoded(kFloat16, {1.0F, -2.0F}, kLevel);
  const auto b = encoded(kBFloat16, {1.0F, -2.0F}, kLevel);
  ASSERT_EQ(a.size(), 20U);
  ASSERT_EQ(b.size(), 20U);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(std::to_integer<unsigned>(a[i]), float16[i]) << i;
    EXPECT_EQ(std::to_integer<unsigned>(b[i]), bfloat16[i]) << i;
  }
}

TEST(Half, SizesLevelsAndEmptyLayers) {
  EXPECT_EQ(kFloat16.max_bytes(std::int64_t{1} << 33, kLevel), (std::size_t{1} << 34) + 16);
  EXPECT_EQ(encoded(kFloat16, std::vector<float>{}, kLevel).size(), 16U);
  EXPECT_EQ(round_trip(kBFloat16, {0.5F}, kLevel), std::vector<float>{0.5F});
  EXPECT_THROW((void)kFloat16.max_bytes(1, Level(8)), ContractError);
  EXPECT_THROW((void)kFloat16.max_bytes(1, Level::dense()), ContractError);
}

TEST(Half, ItsLevelTableIsMeasured) {
  const auto values = normal_values(300, 4);
  const auto table = kBFloat16.levels(values, std::vector<Level>{kLevel});
  EXPECT_EQ(table[0].bytes, 616.0);
  EXPECT_EQ(table[0].error, squared_distance(values, round_trip(kBFloat16, values, kLevel)));
  EXPECT_GT(table[0].error, 0.0);
}

TEST(Half, DamagedPayloadsAreNamed) {
  const auto payload = encoded(kFloat16, normal_values(9, 5), kLevel);
  const auto damaged = [&](std::size_t at, unsigned value) {
    auto copy = payload;
    copy[at] = static_cast<std::byte>(value);
    return payload_error(kFloat16, copy, 9);
  };
  EXPECT_EQ(payload_error(kFloat16, payload, 9), "");
  for (std::size_t size = 0; size < payload.size(); ++size) {
    EXPECT_NE(payload_error(kFloat16, std::span(payload).first(size), 9), "") << size;
  }
  EXPECT_NE(damaged(0, 'Q').find("expected 'H'"), std::string::npos);
  EXPECT_NE(damaged(1, 2).find("version 2"), std::string::npos);
  EXPECT_NE(damaged(2, 2).find("format 2"), std::string::npos);
  EXPECT_NE(damaged(3, 1).find("format 0, 1, 0"), std::string::npos);
  EXPECT_NE(damaged(8, 8).find("holds 8 values, 9 were expected"), std::string::npos);
}

}  // namespace
}  // namespace convoy::compress
