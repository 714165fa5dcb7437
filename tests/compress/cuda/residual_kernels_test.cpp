// SPDX-License-Identifier: Apache-2.0
// The updates of error feedback on a device.
#include <gtest/gtest.h>

#include "base/errors.h"
#include "tests/compress/cuda/device_kit.h"

namespace convoy::compress::cuda {
namespace {

template <typename Device>
class ResidualOnDevice : public testing::Test {};

TYPED_TEST_SUITE(ResidualOnDevice, Devices, DeviceName);

TYPED_TEST(ResidualOnDevice, AddsTheGradientToWhatIsOwed) {
  for (const std::size_t size : {0, 1, 31, 256, 257, 4097}) {
    const auto residual = normal_values(size, 1);
    const auto gradient = normal_values(size, 2);
    const auto kept = on<TypeParam>(residual);
    const auto fresh = on<TypeParam>(gradient);
    const auto owed = on<TypeParam>(std::vector<float>(size, -1.0F));
    engine_of<TypeParam>().add_residual(kept.read(), fresh.read(), owed.span());
    std::vector<float> expected(size);
    for (std::size_t i = 0; i < size; ++i) expected[i] = residual[i] + gradient[i];
    EXPECT_TRUE(same_bits(owed.to_host(), expected)) << size;
  }
}

TYPED_TEST(ResidualOnDevice, AddsInPlace) {
  const auto residual = on<TypeParam>(std::vector<float>{1.0F, 2.0F});
  const auto gradient = on<TypeParam>(std::vector<float>{0.5F, -4.0F});
  engine_of<TypeParam>().add_residual(residual.read(), gradient.read(), gradient.span());
  EXPECT_EQ(gradient.to_host(), (std::vector<float>{1.5F, -2.0F}));
}

TYPED_TEST(ResidualOnDevice, KeepsAndAddsIn16Bits) {
  const auto owed = any_values(3000, false);
  const auto gradient = normal_values(owed.size(), 3);
  const auto left = on<TypeParam>(owed);
  const auto residual = on<TypeParam>(std::vector<BFloat16>(owed.size()));
  engine_of<TypeParam>().keep_residual(left.read(), residual.span());
  const auto fresh = on<TypeParam>(gradient);
  const auto sum = on<TypeParam>(std::vector<float>(owed.size()));
  engine_of<TypeParam>().add_residual(residual.read(), fresh.read(), sum.span());
  std::vector<float> expected;
  const auto kept = residual.to_host();
  for (std::size_t i = 0; i < owed.size(); ++i) {
    EXPECT_EQ(kept[i].bits, to_bfloat16(owed[i]).bits);
    expected.push_back(to_float(to_bfloat16(owed[i])) + gradient[i]);
  }
  EXPECT_TRUE(same_but_nan(sum.to_host(), expected));
}

TYPED_TEST(ResidualOnDevice, RefusesSpansOfDifferentSizes) {
  const auto two = on<TypeParam>(std::vector<float>{1.0F, 2.0F});
  const auto three = on<TypeParam>(std::vector<float>{1.0F, 2.0F, 3.0F});
  const auto one = on<TypeParam>(std::vector<BFloat16>(1));
  EXPECT_THROW(engine_of<TypeParam>().add_residual(two.read(), three.read(), two.span()),
               ContractError);
  EXPECT_THROW(engine_of<TypeParam>().keep_residual(two.read(), one.span()), ContractError);
}

/// What is owed after sending it: the telescoping sum of error feedback, on the device.
TYPED_TEST(ResidualOnDevice, LosesNothingOverManySteps) {
  const std::size_t size = 2000;
  const auto codec = engine_of<TypeParam>().make_codec(QuantizeConfig{});
  const auto owed = on<TypeParam>(std::vector<float>(size, 0.0F));
  std::vector<double> sent(size);
  std::vector<double> wanted(size);
  for (std::uint64_t step = 0; step < 10; ++step) {
    const auto gradient = normal_values(size, 100 + step);
    const auto fresh = on<TypeParam>(gradient);
    engine_of<TypeParam>().add_residual(owed.read(), fresh.read(), owed.span());
    const auto payload = encoded_on<TypeParam>(*codec, owed.to_host(), Level(2), step);
    const auto bytes = on<TypeParam>(payload);
    codec->add_decoded(bytes.span(), -1.0F, owed.span());
    const auto decoded_values = decoded_on<TypeParam>(*codec, payload, size);
    for (std::size_t i = 0; i < size; ++i) {
      sent[i] += decoded_values[i];
      wanted[i] += gradient[i];
    }
  }
  const auto left = owed.to_host();
  for (std::size_t i = 0; i < size; ++i) ASSERT_NEAR(sent[i] + left[i], wanted[i], 1e-5);
}

}  // namespace
}  // namespace convoy::compress::cuda
