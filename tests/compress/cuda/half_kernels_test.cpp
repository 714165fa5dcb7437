// SPDX-License-Identifier: Apache-2.0
// The kernels of half give the bytes of HalfCodec.
#include <gtest/gtest.h>

#include "compress/codec/half_codec.h"
#include "tests/compress/cuda/device_kit.h"

namespace convoy::compress::cuda {
namespace {

template <typename Device>
class HalfOnDevice : public testing::Test {};

TYPED_TEST_SUITE(HalfOnDevice, Devices, DeviceName);

constexpr HalfFormat kBoth[] = {HalfFormat::kFloat16, HalfFormat::kBFloat16};
const Level kLevel(16);

/// Around the numbers where the formats change what they do, and those with ties.
std::vector<float> edges() {
  std::vector<float> values;
  for (const std::uint32_t bits :
       {0x00000000U, 0x00000001U, 0x007fffffU, 0x33000000U, 0x33800000U, 0x387fe000U, 0x38800000U,
        0x3f801000U, 0x3f803000U, 0x477fe000U, 0x477ff000U, 0x7f7f7fffU, 0x7f7f8000U, 0x7f7fffffU,
        0x7f800000U, 0x7f800001U, 0x7fa00000U, 0x7fc00000U, 0x7fffffffU}) {
    for (const std::uint32_t near : {bits - 1, bits, bits + 1}) {
      values.push_back(std::bit_cast<float>(near));
      values.push_back(std::bit_cast<float>(near ^ 0x80000000U));
    }
  }
  return values;
}

TYPED_TEST(HalfOnDevice, GivesTheBytesOfTheCpu) {
  std::vector<Input> inputs = all_inputs();
  inputs.push_back({"edges", edges()});
  inputs.push_back({"anything and much of it", any_values(100'000, false)});
  for (const HalfFormat format : kBoth) {
    const auto codec = engine_of<TypeParam>().make_codec(HalfConfig{format});
    for (const Input& input : inputs) {
      SCOPED_TRACE(input.name);
      expect_as_on_the_cpu<TypeParam>(*codec, input.values, kLevel, 0);
      if (this->HasFatalFailure()) return;
    }
  }
}

TYPED_TEST(HalfOnDevice, ReadsHalfPrecision) {
  std::vector<Half> halves;
  std::vector<BFloat16> brains;
  for (std::uint32_t bits = 0; bits < 0x10000U; ++bits) {
    halves.push_back({static_cast<std::uint16_t>(bits)});
    brains.push_back({static_cast<std::uint16_t>(bits)});
  }
  for (const HalfFormat format : kBoth) {
    const auto codec = engine_of<TypeParam>().make_codec(HalfConfig{format});
    const auto& host = codec->on_host();
    EXPECT_EQ(encoded_on<TypeParam>(*codec, halves, kLevel),
              encoded(host, Values(std::span<const Half>(halves)), kLevel));
    EXPECT_EQ(encoded_on<TypeParam>(*codec, brains, kLevel),
              encoded(host, Values(std::span<const BFloat16>(brains)), kLevel));
  }
}

/// A decoder reads what the header says, not what its own config does.
TYPED_TEST(HalfOnDevice, DecodesTheOtherFormat) {
  const auto values = normal_values(77, 1);
  const auto payload = encoded(HalfCodec({HalfFormat::kBFloat16}), values, kLevel);
  const auto codec = engine_of<TypeParam>().make_codec(HalfConfig{HalfFormat::kFloat16});
  EXPECT_TRUE(same_bits(decoded_on<TypeParam>(*codec, payload, values.size()),
                        decoded(codec->on_host(), payload, values.size())));
}

TYPED_TEST(HalfOnDevice, CountsWhatItSaturates) {
  std::vector<Input> inputs = all_inputs();
  inputs.push_back({"edges", edges()});
  inputs.push_back({"all", std::vector<float>(3000, 1e38F)});
  std::int64_t most = 0;
  for (const HalfFormat format : kBoth) {
    for (const Input& input : inputs) {
      const std::int64_t expected = count_saturated(std::span(input.values), format);
      const auto values = on<TypeParam>(input.values);
      EXPECT_EQ(engine_of<TypeParam>().count_saturated(values.read(), format), expected)
          << input.name;
      most = std::max(most, expected);
    }
  }
  EXPECT_EQ(most, 3000);
}

TYPED_TEST(HalfOnDevice, GivesTheLevelTableOfTheCpu) {
  for (const HalfFormat format : kBoth) {
    const auto codec = engine_of<TypeParam>().make_codec(HalfConfig{format});
    expect_levels_as_on_the_cpu<TypeParam>(*codec, normal_values(1000, 4),
                                           {Level::dense(), kLevel, kLevel});
  }
}

TYPED_TEST(HalfOnDevice, RefusesPayloadsInTheWordsOfTheCpu) {
  const auto codec = engine_of<TypeParam>().make_codec(HalfConfig{});
  const auto good = encoded(codec->on_host(), normal_values(9, 5), kLevel);
  const auto expect_refusal = [&](const std::vector<std::byte>& bad) {
    const std::string expected = payload_error(codec->on_host(), bad, 9);
    EXPECT_NE(expected, "");
    try {
      decoded_on<TypeParam>(*codec, bad, 9);
      ADD_FAILURE() << "took what the CPU refuses: " << expected;
    } catch (const PayloadError& error) {
      EXPECT_EQ(error.what(), expected);
    }
  };
  for (const std::size_t at : {0, 1, 2, 3, 4, 8}) {
    auto bad = good;
    bad[at] ^= std::byte{0x42};
    expect_refusal(bad);
  }
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{15}, good.size() - 1}) {
    expect_refusal({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(bytes)});
  }
}

}  // namespace
}  // namespace convoy::compress::cuda
