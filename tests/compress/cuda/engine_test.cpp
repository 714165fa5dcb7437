// SPDX-License-Identifier: Apache-2.0
// Memory, copies and sums of an engine.
#include <gtest/gtest.h>

#include "base/errors.h"
#include "tests/compress/cuda/device_kit.h"

namespace convoy::compress::cuda {
namespace {

template <typename Device>
class EngineOnDevice : public testing::Test {};

TYPED_TEST_SUITE(EngineOnDevice, Devices, DeviceName);

std::span<const std::byte> bytes(const std::vector<float>& values) {
  return std::as_bytes(std::span(values));
}

template <typename T>
DeviceSpan<std::byte> device_bytes(const DeviceValuesOf<T>& values) {
  return bytes_of(reinterpret_cast<std::byte*>(values.span().data()),
                  static_cast<std::size_t>(values.span().size()) * sizeof(T));
}

TYPED_TEST(EngineOnDevice, CopiesInTheOrderOfTheCalls) {
  Engine& engine = engine_of<TypeParam>();
  const auto a = on<TypeParam>(std::vector<float>{1.0F, 2.0F, 3.0F});
  const auto b = on<TypeParam>(std::vector<float>{4.0F, 5.0F, 6.0F});
  engine.copy(device_bytes(a), device_bytes(b));
  std::vector<float> fresh{7.0F, 8.0F, 9.0F};
  engine.copy_in(bytes(fresh), device_bytes(a));
  fresh.assign(3, -1.0F);  // may be written again
  engine.add(a.read(), b.span());
  engine.fill_zero(device_bytes(a));
  EXPECT_EQ(b.to_host(), (std::vector<float>{8.0F, 10.0F, 12.0F}));
  EXPECT_EQ(a.to_host(), std::vector<float>(3, 0.0F));
  engine.follow_caller();
  engine.finish();
}

TYPED_TEST(EngineOnDevice, NothingNeedsNoMemory) {
  Engine& engine = engine_of<TypeParam>();
  EXPECT_EQ(engine.allocate(0), nullptr);
  engine.copy_in({}, {});
  engine.copy_out({}, {});
  engine.copy(DeviceSpan<std::byte>(), {});
  engine.fill_zero({});
  engine.add(DeviceSpan<float>(), {});
  EXPECT_EQ(engine.count_saturated(DeviceSpan<float>(), HalfFormat::kFloat16), 0);
}

TYPED_TEST(EngineOnDevice, MemoryIsAlignedAndOutlivesTheEngine) {
  auto engine = TypeParam::make();
  const auto memory = engine->allocate(17);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.get()) % alignof(std::max_align_t), 0U);
  const auto codec = engine->make_codec(HalfConfig{});
  engine.reset();
  EXPECT_EQ(decoded_on<TypeParam>(
                *codec, encoded_on<TypeParam>(*codec, std::vector<float>{0.5F}, Level(16)), 1),
            std::vector<float>{0.5F});
}

TYPED_TEST(EngineOnDevice, AddsAsTheCpu) {
  for (const std::size_t size : {1, 255, 256, 257, 3000}) {
    const auto term = any_values(size, false);
    auto sum = normal_values(size, 1);
    const auto device_term = on<TypeParam>(term);
    const auto device_sum = on<TypeParam>(sum);
    engine_of<TypeParam>().add(device_term.read(), device_sum.span());
    for (std::size_t i = 0; i < size; ++i) sum[i] += term[i];
    EXPECT_TRUE(same_but_nan(device_sum.to_host(), sum)) << size;
  }
}

TYPED_TEST(EngineOnDevice, ScalesAsTheCpu) {
  auto values = any_values(3001, false);
  const auto on_device = on<TypeParam>(values);
  engine_of<TypeParam>().scale(on_device.span(), 1.0F / 3.0F);
  for (float& value : values) value *= 1.0F / 3.0F;
  EXPECT_TRUE(same_but_nan(on_device.to_host(), values));
}

TYPED_TEST(EngineOnDevice, RefusesMemoryOfDifferentSizes) {
  Engine& engine = engine_of<TypeParam>();
  const auto two = on<TypeParam>(std::vector<float>(2));
  const auto three = on<TypeParam>(std::vector<float>(3));
  std::vector<float> host(2);
  EXPECT_THROW(engine.add(two.read(), three.span()), ContractError);
  EXPECT_THROW(engine.copy(device_bytes(two), device_bytes(three)), ContractError);
  EXPECT_THROW(engine.copy_in(bytes(host), device_bytes(three)), ContractError);
  EXPECT_THROW(engine.copy_out(device_bytes(three), std::as_writable_bytes(std::span(host))),
               ContractError);
}

}  // namespace
}  // namespace convoy::compress::cuda
