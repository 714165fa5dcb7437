// SPDX-License-Identifier: Apache-2.0
// The kernels of top_k give the bytes of TopKCodec.
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "tests/compress/cuda/device_kit.h"

namespace convoy::compress::cuda {
namespace {

template <typename Device>
class TopKOnDevice : public testing::Test {};

TYPED_TEST_SUITE(TopKOnDevice, Devices, DeviceName);

constexpr TopKValues kBoth[] = {TopKValues::kFloat32, TopKValues::kFloat16};
constexpr double kDensities[] = {1e-9, 0.001, 0.01, 0.1, 0.5, 0.999, 1.0};

TYPED_TEST(TopKOnDevice, GivesTheBytesOfTheCpu) {
  for (const TopKValues wire : kBoth) {
    const auto codec = engine_of<TypeParam>().make_codec(TopKConfig{wire});
    for (const Input& input : all_inputs()) {
      for (const double density : kDensities) {
        SCOPED_TRACE(input.name + ", density " + std::to_string(density));
        expect_as_on_the_cpu<TypeParam>(*codec, input.values, Level(density), 0);
        if (this->HasFatalFailure()) return;
      }
    }
  }
}

TYPED_TEST(TopKOnDevice, GivesTheBytesOfTheCpuForAMillionValues) {
  const std::vector<float> values = normal_values(1'000'000, 5);
  const auto codec = engine_of<TypeParam>().make_codec(TopKConfig{});
  for (const double density : kDensities) {
    expect_as_on_the_cpu<TypeParam>(*codec, values, Level(density), 0);
  }
}

/// Large values with such distances that gaps of 16 bits are the shortest form.
std::vector<float> sparse_values() {
  std::vector<float> values(900'000, 0.25F);
  for (std::size_t at = 3; at < values.size(); at += 1500) values[at] = static_cast<float>(at);
  for (std::size_t at = 80'000; at < 150'000; ++at) values[at] = 0.0F;  // an escape
  return values;
}

/// Something for each form of the indices, in the order of IndexFormat.
std::vector<std::pair<std::vector<float>, Level>> inputs_of_all_forms() {
  return {{normal_values(3000, 8), Level(0.01)},
          {sparse_values(), Level(540.0 / 900'000.0)},
          {normal_values(3000, 8), Level(0.5)},
          {normal_values(1'500'000, 9), Level(2e-6)}};
}

TYPED_TEST(TopKOnDevice, WritesAndReadsEveryFormOfTheIndices) {
  for (const TopKValues wire : kBoth) {
    const auto codec = engine_of<TypeParam>().make_codec(TopKConfig{wire});
    int form = 0;
    for (const auto& [values, density] : inputs_of_all_forms()) {
      EXPECT_EQ(std::to_integer<int>(encoded(codec->on_host(), values, density)[2]), form++);
      expect_as_on_the_cpu<TypeParam>(*codec, values, density, 0);
    }
  }
}

TYPED_TEST(TopKOnDevice, KeepsTheFirstOfEqualMagnitudes) {
  const auto codec = engine_of<TypeParam>().make_codec(TopKConfig{});
  std::vector<float> values(10'000, 1.0F);
  for (std::size_t i = 0; i < values.size(); i += 3) values[i] = -1.0F;
  values[9'999] = 2.0F;
  const auto payload = encoded_on<TypeParam>(*codec, values, Level(0.5));
  const auto kept = decoded(codec->on_host(), payload, values.size());
  EXPECT_EQ(kept[4'998], -1.0F);
  EXPECT_EQ(kept[4'999], 0.0F);
  EXPECT_EQ(kept[9'999], 2.0F);
}

TYPED_TEST(TopKOnDevice, ReadsHalfPrecision) {
  std::vector<Half> halves;
  std::vector<BFloat16> brains;
  for (const float value : normal_values(5000, 4)) {
    halves.push_back(to_half(value));
    brains.push_back(to_bfloat16(value));
  }
  for (const TopKValues wire : kBoth) {
    const auto codec = engine_of<TypeParam>().make_codec(TopKConfig{wire});
    const auto& host = codec->on_host();
    EXPECT_EQ(encoded_on<TypeParam>(*codec, halves, Level(0.05)),
              encoded(host, Values(std::span<const Half>(halves)), Level(0.05)));
    EXPECT_EQ(encoded_on<TypeParam>(*codec, brains, Level(0.05)),
              encoded(host, Values(std::span<const BFloat16>(brains)), Level(0.05)));
  }
}

TYPED_TEST(TopKOnDevice, GivesTheLevelTableOfTheCpu) {
  std::vector<Level> candidates{Level::dense()};
  for (const double density : kDensities) candidates.emplace_back(density);
  for (const TopKValues wire : kBoth) {
    const auto codec = engine_of<TypeParam>().make_codec(TopKConfig{wire});
    for (const Input& input : all_inputs()) {
      SCOPED_TRACE(input.name);
      expect_levels_as_on_the_cpu<TypeParam>(*codec, input.values, candidates);
    }
  }
}

/// Whether a device and the CPU agree on `payload`: both take it, to the same values, or both
/// refuse it, in the same words. Returns 1 if they refuse.
template <typename Device>
int agree_on(DeviceCodec& codec, const std::vector<std::byte>& payload, std::size_t numel) {
  std::string message;
  std::vector<float> values;
  try {
    values = decoded_on<Device>(codec, payload, numel);
  } catch (const PayloadError& error) {
    message = error.what();
  }
  EXPECT_EQ(message, payload_error(codec.on_host(), payload, numel));
  if (!message.empty()) return 1;
  EXPECT_TRUE(same_bits(values, decoded(codec.on_host(), payload, numel)));
  return 0;
}

TYPED_TEST(TopKOnDevice, RefusesWhatTheCpuRefusesInItsWords) {
  const auto codec = engine_of<TypeParam>().make_codec(TopKConfig{});
  Random random(1);
  for (const auto& [values, density] : inputs_of_all_forms()) {
    const std::size_t numel = values.size();
    const auto good = encoded(codec->on_host(), values, density);
    EXPECT_EQ(agree_on<TypeParam>(*codec, good, numel), 0);
    int refused = 0;
    const int tries = numel < 10'000 ? 300 : 10;
    for (int i = 0; i < tries; ++i) {
      auto bad = good;
      bad[random.below(bad.size())] ^= std::byte{1} << random.below(8);
      if (i % 5 == 0) bad.resize(bad.size() - 1 - random.below(3));
      refused += agree_on<TypeParam>(*codec, bad, numel);
    }
    EXPECT_GT(refused, tries / 10);
  }
}

TYPED_TEST(TopKOnDevice, RefusesAbsoluteIndicesThatDoNotAscend) {
  const auto codec = engine_of<TypeParam>().make_codec(TopKConfig{});
  const auto [values, density] = inputs_of_all_forms().back();
  auto payload = encoded(codec->on_host(), values, density);
  const std::size_t last = payload.size() - 4;
  std::swap_ranges(payload.begin() + static_cast<std::ptrdiff_t>(last), payload.end(),
                   payload.begin() + static_cast<std::ptrdiff_t>(last - 4));
  EXPECT_EQ(agree_on<TypeParam>(*codec, payload, values.size()), 1);
}

TYPED_TEST(TopKOnDevice, RefusesGapsThatEndWithAnEscape) {
  const auto codec = engine_of<TypeParam>().make_codec(TopKConfig{});
  auto payload = encoded(codec->on_host(), normal_values(3000, 8), Level(0.01));
  payload.push_back(std::byte{255});
  EXPECT_EQ(agree_on<TypeParam>(*codec, payload, 3000), 1);
}

}  // namespace
}  // namespace convoy::compress::cuda
