// SPDX-License-Identifier: Apache-2.0
// The arithmetic of power_sgd on a device gives the bits of low_rank.h.
#include <gtest/gtest.h>

#include <cmath>

#include "base/errors.h"
#include "compress/codec/low_rank.h"
#include "compress/cuda/internal/low_rank_steps.h"
#include "tests/compress/codec/matrices.h"
#include "tests/compress/cuda/device_kit.h"

namespace convoy::compress::cuda {
namespace {

template <typename Device>
class LowRankOnDevice : public testing::Test {};

TYPED_TEST_SUITE(LowRankOnDevice, Devices, DeviceName);

struct Columns {
  std::string name;
  std::int64_t rows;
  std::vector<float> values;
};

/// Orthogonalises all of them at once, and holds each to the CPU.
template <typename Device>
void expect_orthogonalised(const std::vector<Columns>& inputs) {
  std::vector<DeviceValuesOf<float>> memory;
  std::vector<Engine::Columns> factors;
  for (const Columns& input : inputs) {
    memory.push_back(on<Device>(input.values));
    factors.push_back({memory.back().span(), input.rows});
  }
  engine_of<Device>().orthogonalise(factors);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::vector<float> expected = inputs[i].values;
    orthogonalise(expected, inputs[i].rows);
    EXPECT_TRUE(same_bits(memory[i].to_host(), expected)) << inputs[i].name;
  }
}

/// Sizes round those of lanes and blocks, ranks beyond the rows, and no columns.
std::vector<Columns> sized_factors() {
  std::vector<Columns> all;
  for (const std::int64_t rows : {1, 2, 5, 16, 17, 63, 255, 256, 257, 511, 515, 1030}) {
    for (std::int64_t rank = 0; rank <= 9; ++rank) {
      all.push_back({std::to_string(rows) + " rows, rank " + std::to_string(rank), rows,
                     random_values(rows * rank, static_cast<std::uint64_t>(rows * 10 + rank))});
    }
  }
  return all;
}

std::vector<float> scaled(std::vector<float> values, float scale) {
  for (float& value : values) value *= scale;
  return values;
}

/// Columns that differ by `apart` of their length, so that digits cancel.
std::vector<float> close_columns(std::int64_t rows, std::int64_t rank, float apart) {
  std::vector<float> values = random_values(rows * rank, 1);
  const std::vector<float> noise = random_values(rows * rank, 2);
  for (std::size_t i = static_cast<std::size_t>(rows); i < values.size(); ++i) {
    values[i] = values[i % static_cast<std::size_t>(rows)] + apart * noise[i];
  }
  return values;
}

std::vector<Columns> special_factors() {
  std::vector<Columns> all;
  for (const float apart : {1e-1F, 1e-3F, 1e-4F, 1e-6F, 1e-7F, 0.0F}) {
    all.push_back(
        {"columns that differ by " + std::to_string(apart), 300, close_columns(300, 6, apart)});
  }
  all.push_back({"zeros", 40, std::vector<float>(160, 0.0F)});
  all.push_back({"negative zeros", 40, std::vector<float>(160, -0.0F)});
  all.push_back({"tiny", 40, scaled(random_values(160, 3), 1e-42F)});
  all.push_back({"huge", 40, scaled(random_values(160, 4), 1e38F)});
  for (const float foreign : {INFINITY, -INFINITY, NAN}) {
    all.push_back({"with " + std::to_string(foreign), 40, random_values(200, 5)});
    all.back().values[0] = foreign;
    all.back().values[130] = foreign;
  }
  all.push_back({"a column that vanishes", 40, random_values(200, 6)});
  std::fill_n(all.back().values.begin() + 40, 80, 0.0F);
  return all;
}

TYPED_TEST(LowRankOnDevice, OrthogonalisesManyFactorsAtOnce) {
  // Twice as many as one launch takes.
  expect_orthogonalised<TypeParam>(sized_factors());
}

TYPED_TEST(LowRankOnDevice, OrthogonalisesAsTheCpuWhatHasNoDirection) {
  expect_orthogonalised<TypeParam>(special_factors());
  for (const Columns& input : special_factors()) expect_orthogonalised<TypeParam>({input});
}

/// Takes the tasks of launches instead of running them.
struct TaskTaker {
  std::vector<OrthogonaliseTask> tasks;
  void launch(const Orthogonalise& kernel, std::int64_t blocks, int threads) {
    EXPECT_EQ(threads, math::kDotLanes);
    tasks.insert(tasks.end(), kernel.tasks, kernel.tasks + blocks);
  }
};

/// Blocks of a GPU run side by side, those of the host one after the other.
TEST(Orthogonalise, EachFactorHasMemoryOfItsOwn) {
  std::vector<Engine::Columns> factors;
  for (std::int64_t rows = 1; rows <= 130; ++rows) factors.push_back({{}, rows});
  std::vector<double> work(static_cast<std::size_t>(orthogonalise_needs(factors)));
  TaskTaker taker;
  orthogonalise_on(taker, factors, {work.data(), std::ssize(work)});
  ASSERT_EQ(taker.tasks.size(), 130U);
  const double* free = work.data();
  for (const OrthogonaliseTask& task : taker.tasks) {
    EXPECT_EQ(task.work.data(), free);
    free += task.work.size();
  }
  EXPECT_EQ(free, work.data() + work.size());
}

TYPED_TEST(LowRankOnDevice, OrthogonalisesNothing) {
  engine_of<TypeParam>().orthogonalise({});
  expect_orthogonalised<TypeParam>({{"no columns", 7, {}}});
}

TYPED_TEST(LowRankOnDevice, OrthogonaliseRefusesPartsOfColumns) {
  const auto values = on<TypeParam>(std::vector<float>(7));
  for (const std::int64_t rows : {0, 3}) {
    const std::vector<Engine::Columns> factors{{values.span(), rows}};
    EXPECT_THROW(engine_of<TypeParam>().orthogonalise(factors), ContractError);
  }
}

template <typename Device>
void expect_product(MatrixShape shape, const std::vector<float>& p, const std::vector<float>& q,
                    const std::vector<float>& residual) {
  const auto device_p = on<Device>(p);
  const auto device_q = on<Device>(q);
  const auto device_out = on<Device>(std::vector<float>(residual.size(), -1.0F));
  const auto device_residual = on<Device>(residual);
  engine_of<Device>().product_and_residual(device_p.read(), device_q.read(), shape,
                                           device_out.span(), device_residual.span());
  std::vector<float> out(residual.size());
  std::vector<float> left = residual;
  product_and_residual(p, q, shape, out, left);
  EXPECT_TRUE(same_but_nan(device_out.to_host(), out));
  EXPECT_TRUE(same_but_nan(device_residual.to_host(), left));
}

TYPED_TEST(LowRankOnDevice, MultipliesInTheOrderOfTheCpu) {
  for (const MatrixShape shape :
       {MatrixShape{1, 1}, MatrixShape{1, 40}, MatrixShape{40, 1}, MatrixShape{7, 31},
        MatrixShape{8, 256}, MatrixShape{9, 257}, MatrixShape{16, 32}, MatrixShape{33, 515},
        MatrixShape{3, 4200}, MatrixShape{0, 5}, MatrixShape{5, 0}}) {
    for (std::int64_t rank = 0; rank <= 9; ++rank) {
      SCOPED_TRACE(testing::Message() << shape.rows << "x" << shape.columns << " rank " << rank);
      expect_product<TypeParam>(shape, random_values(rank * shape.rows, 1),
                                random_values(rank * shape.columns, 2),
                                random_values(shape.numel(), 3));
    }
  }
}

TYPED_TEST(LowRankOnDevice, MultipliesAnything) {
  const MatrixShape shape{19, 70};
  const std::vector<float> any = any_values(4000, false);
  expect_product<TypeParam>(shape, {any.begin(), any.begin() + 3 * 19},
                            {any.begin() + 100, any.begin() + 100 + 3 * 70},
                            {any.begin() + 1000, any.begin() + 1000 + 19 * 70});
  const std::vector<float> zeros(4000, -0.0F);
  expect_product<TypeParam>(shape, {zeros.begin(), zeros.begin() + 19}, random_values(70, 1),
                            {zeros.begin(), zeros.begin() + 19 * 70});
}

TYPED_TEST(LowRankOnDevice, RefusesProductsWhoseSizesDoNotFit) {
  const auto two = on<TypeParam>(std::vector<float>(2));
  const auto five = on<TypeParam>(std::vector<float>(5));
  const auto six = on<TypeParam>(std::vector<float>(6));
  const auto multiply = [](const auto& p, const auto& q, const auto& out, const auto& residual) {
    engine_of<TypeParam>().product_and_residual(p.read(), q.read(), {2, 3}, out.span(),
                                                residual.span());
  };
  EXPECT_NO_THROW(multiply(six, on<TypeParam>(std::vector<float>(9)), six, six));
  EXPECT_THROW(multiply(two, six, six, six), ContractError);
  EXPECT_THROW(multiply(five, six, six, six), ContractError);
  EXPECT_THROW(multiply(six, five, six, six), ContractError);
  EXPECT_THROW(multiply(two, on<TypeParam>(std::vector<float>(3)), six, five), ContractError);
  EXPECT_THROW(multiply(two, on<TypeParam>(std::vector<float>(3)), five, five), ContractError);
}

TYPED_TEST(LowRankOnDevice, DrawsTheColumnsThatTheCpuDraws) {
  for (const std::int64_t columns : {1, 3, 255, 256, 257, 1000}) {
    std::vector<float> q = random_values(6 * columns, 1);
    std::fill_n(q.begin(), columns, 0.0F);
    std::fill_n(q.begin() + 2 * columns, columns, -0.0F);
    // One value keeps a column: the last, or a NaN.
    std::fill_n(q.begin() + 3 * columns, 2 * columns, 0.0F);
    q[static_cast<std::size_t>(4 * columns - 1)] = 1e-45F;
    q[static_cast<std::size_t>(4 * columns)] = NAN;
    const auto memory = on<TypeParam>(q);
    engine_of<TypeParam>().draw_missing_columns(memory.span(), columns, 0x123456789abcdefULL);
    draw_missing_columns(q, columns, 0x123456789abcdefULL);
    EXPECT_NE(q[0], 0.0F);
    EXPECT_TRUE(same_bits(memory.to_host(), q)) << columns;
  }
  const auto part = on<TypeParam>(std::vector<float>(5));
  EXPECT_THROW(engine_of<TypeParam>().draw_missing_columns(part.span(), 2, 1), ContractError);
  EXPECT_THROW(engine_of<TypeParam>().draw_missing_columns(part.span(), 0, 1), ContractError);
}

}  // namespace
}  // namespace convoy::compress::cuda
