// SPDX-License-Identifier: Apache-2.0
// The products of a matrix with factors on a device give the bits of low_rank.h.
#include <gtest/gtest.h>

#include "base/errors.h"
#include "compress/codec/low_rank.h"
#include "tests/compress/codec/matrices.h"
#include "tests/compress/cuda/device_kit.h"

namespace convoy::compress::cuda {
namespace {

template <typename Device>
class MultiplyOnDevice : public testing::Test {};

TYPED_TEST_SUITE(MultiplyOnDevice, Devices, DeviceName);

template <typename Device>
void expect_products(MatrixShape shape, std::int64_t rank, const std::vector<float>& matrix,
                     const std::vector<float>& p, const std::vector<float>& q) {
  SCOPED_TRACE(testing::Message() << shape.rows << "x" << shape.columns << " rank " << rank);
  const auto on_device = on<Device>(matrix);
  const auto device_p = on<Device>(std::vector<float>(p.size(), -1.0F));
  engine_of<Device>().multiply(on_device.read(), shape, on<Device>(q).read(), device_p.span());
  std::vector<float> expected_p(p.size());
  multiply(matrix, shape, q, expected_p);
  EXPECT_TRUE(same_but_nan(device_p.to_host(), expected_p));

  const auto device_q = on<Device>(std::vector<float>(q.size(), -1.0F));
  engine_of<Device>().multiply_transposed(on_device.read(), shape, on<Device>(p).read(),
                                          device_q.span());
  std::vector<float> expected_q(q.size());
  multiply_transposed(matrix, shape, p, expected_q);
  EXPECT_TRUE(same_but_nan(device_q.to_host(), expected_q));
}

// Round the sizes of lanes, tiles and of the blocks that sums run over: 256 rows, 4096 columns.
TYPED_TEST(MultiplyOnDevice, AddsInTheOrderOfTheCpu) {
  for (const MatrixShape shape :
       {MatrixShape{1, 1}, MatrixShape{1, 40}, MatrixShape{40, 1}, MatrixShape{17, 31},
        MatrixShape{16, 256}, MatrixShape{255, 5}, MatrixShape{257, 9}, MatrixShape{519, 33},
        MatrixShape{2, 4095}, MatrixShape{3, 4097}, MatrixShape{5, 8300}, MatrixShape{0, 5},
        MatrixShape{5, 0}}) {
    for (const std::int64_t rank : {0, 1, 2, 4, 5, 9}) {
      expect_products<TypeParam>(shape, rank, random_values(shape.numel(), 3),
                                 random_values(rank * shape.rows, 1),
                                 random_values(rank * shape.columns, 2));
    }
  }
}

TYPED_TEST(MultiplyOnDevice, MultipliesAnything) {
  const MatrixShape shape{19, 70};
  const std::vector<float> any = any_values(4000, false);
  expect_products<TypeParam>(shape, 3, {any.begin() + 1000, any.begin() + 1000 + 19 * 70},
                             {any.begin(), any.begin() + 3 * 19},
                             {any.begin() + 100, any.begin() + 100 + 3 * 70});
  expect_products<TypeParam>(shape, 1, std::vector<float>(19 * 70, -0.0F), random_values(19, 1),
                             random_values(70, 1));
}

TYPED_TEST(MultiplyOnDevice, RefusesWhatDoesNotFit) {
  Engine& engine = engine_of<TypeParam>();
  const auto two = on<TypeParam>(std::vector<float>(2));
  const auto three = on<TypeParam>(std::vector<float>(3));
  const auto six = on<TypeParam>(std::vector<float>(6));
  EXPECT_NO_THROW(engine.multiply(six.read(), {2, 3}, three.read(), two.span()));
  EXPECT_THROW(engine.multiply(three.read(), {2, 3}, three.read(), two.span()), ContractError);
  EXPECT_THROW(engine.multiply(six.read(), {2, 3}, two.read(), two.span()), ContractError);
  EXPECT_THROW(engine.multiply(six.read(), {2, 3}, six.read(), two.span()), ContractError);
  EXPECT_THROW(engine.multiply_transposed(six.read(), {2, 3}, three.read(), three.span()),
               ContractError);
  EXPECT_THROW(engine.multiply_transposed(two.read(), {2, 3}, two.read(), three.span()),
               ContractError);
}

}  // namespace
}  // namespace convoy::compress::cuda
