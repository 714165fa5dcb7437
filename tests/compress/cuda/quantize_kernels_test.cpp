// SPDX-License-Identifier: Apache-2.0
// The kernels of quantize give the bytes of QuantizeCodec.
#include <gtest/gtest.h>

#include "tests/compress/cuda/device_kit.h"

namespace convoy::compress::cuda {
namespace {

template <typename Device>
class QuantizeOnDevice : public testing::Test {};

TYPED_TEST_SUITE(QuantizeOnDevice, Devices, DeviceName);

TYPED_TEST(QuantizeOnDevice, GivesTheBytesOfTheCpu) {
  for (const Rounding rounding : {Rounding::kNearest, Rounding::kStochastic}) {
    for (const std::int64_t group : {64, 512}) {
      const auto codec = engine_of<TypeParam>().make_codec(QuantizeConfig{group, rounding});
      for (const Input& input : all_inputs()) {
        for (int bits = 1; bits <= 8; ++bits) {
          SCOPED_TRACE(input.name + ", " + std::to_string(bits) + " bits");
          expect_as_on_the_cpu<TypeParam>(*codec, input.values, Level(bits), 7);
          if (this->HasFatalFailure()) return;
        }
      }
    }
  }
}

TYPED_TEST(QuantizeOnDevice, GivesTheBytesOfTheCpuForAMillionValues) {
  const std::vector<float> values = normal_values(1'000'000, 5);
  const auto codec =
      engine_of<TypeParam>().make_codec(QuantizeConfig{.rounding = Rounding::kStochastic});
  for (int bits = 1; bits <= 8; ++bits) {
    expect_as_on_the_cpu<TypeParam>(*codec, values, Level(bits), 1);
  }
  const auto nearest = engine_of<TypeParam>().make_codec(QuantizeConfig{.group = 1 << 18});
  expect_as_on_the_cpu<TypeParam>(*nearest, values, Level(3), 1);
}

TYPED_TEST(QuantizeOnDevice, DrawsTheRandomNumbersOfTheCpuForEverySeed) {
  const auto codec = engine_of<TypeParam>().make_codec(QuantizeConfig{64, Rounding::kStochastic});
  const std::vector<float> values = normal_values(1000, 3);
  for (const std::uint64_t seed :
       {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}, std::uint64_t{0x123456789abcdef}}) {
    expect_as_on_the_cpu<TypeParam>(*codec, values, Level(2), seed);
  }
  EXPECT_NE(encoded_on<TypeParam>(*codec, values, Level(2), 0),
            encoded_on<TypeParam>(*codec, values, Level(2), 1));
}

TYPED_TEST(QuantizeOnDevice, ReadsHalfPrecision) {
  const auto codec = engine_of<TypeParam>().make_codec(QuantizeConfig{64, Rounding::kStochastic});
  std::vector<Half> halves;
  std::vector<BFloat16> brains;
  for (const float value : normal_values(1000, 4)) {
    halves.push_back(to_half(value));
    brains.push_back(to_bfloat16(value));
  }
  const auto& host = codec->on_host();
  EXPECT_EQ(encoded_on<TypeParam>(*codec, halves, Level(5), 9),
            encoded(host, Values(std::span<const Half>(halves)), Level(5), 9));
  EXPECT_EQ(encoded_on<TypeParam>(*codec, brains, Level(5), 9),
            encoded(host, Values(std::span<const BFloat16>(brains)), Level(5), 9));
}

TYPED_TEST(QuantizeOnDevice, GivesTheLevelTableOfTheCpu) {
  std::vector<Level> candidates{Level::dense()};
  for (const int bits : {8, 1, 2, 3, 4, 5, 6, 7, 4}) candidates.emplace_back(bits);
  for (const Rounding rounding : {Rounding::kNearest, Rounding::kStochastic}) {
    for (const std::int64_t group : {64, 512}) {
      const auto codec = engine_of<TypeParam>().make_codec(QuantizeConfig{group, rounding});
      for (const Input& input : all_inputs()) {
        SCOPED_TRACE(input.name);
        expect_levels_as_on_the_cpu<TypeParam>(*codec, input.values, candidates);
      }
    }
  }
}

/// The message with which a device refuses a payload of 1000 values.
template <typename Device>
std::string refusal(DeviceCodec& codec, const std::vector<std::byte>& payload) {
  try {
    decoded_on<Device>(codec, payload, 1000);
  } catch (const PayloadError& error) {
    return error.what();
  }
  return "";
}

TYPED_TEST(QuantizeOnDevice, RefusesPayloadsInTheWordsOfTheCpu) {
  const auto codec = engine_of<TypeParam>().make_codec(QuantizeConfig{64, Rounding::kNearest});
  const auto good = encoded(codec->on_host(), normal_values(1000, 8), Level(4));
  for (const std::size_t at : {0, 1, 2, 3, 4, 8}) {
    auto bad = good;
    bad[at] ^= std::byte{0x40};
    EXPECT_NE(refusal<TypeParam>(*codec, bad), "") << "byte " << at;
    EXPECT_EQ(refusal<TypeParam>(*codec, bad), payload_error(codec->on_host(), bad, 1000));
  }
  auto negative_step = good;
  negative_step[16 + (8 + 32) * 3 + 7] |= std::byte{0x80};
  EXPECT_NE(refusal<TypeParam>(*codec, negative_step).find("group 3"), std::string::npos);
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{15}, good.size() - 1}) {
    const std::vector<std::byte> cut(good.begin(),
                                     good.begin() + static_cast<std::ptrdiff_t>(bytes));
    EXPECT_NE(refusal<TypeParam>(*codec, cut), "") << bytes << " bytes";
    EXPECT_EQ(refusal<TypeParam>(*codec, cut), payload_error(codec->on_host(), cut, 1000));
  }
}

}  // namespace
}  // namespace convoy::compress::cuda
