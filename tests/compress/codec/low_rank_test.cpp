// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/low_rank.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "base/errors.h"
#include "tests/compress/codec/matrices.h"
#include "tests/compress/codec/simd_targets.h"

namespace convoy::compress {
namespace {

// The blocks of the fixed order: more than one of each, and something left over, in kShapes.
constexpr std::int64_t kBlockRows = 256;
constexpr std::int64_t kBlockColumns = 4096;

const std::vector<MatrixShape> kShapes{{1, 1},     {1, 40},  {40, 1},   {3, 7},
                                       {5, 17},    {64, 27}, {7, 4096}, {6, 4097},
                                       {10, 8210}, {257, 9}, {519, 130}};

using Values = std::vector<float>;

Values zeros(std::int64_t count) { return Values(static_cast<std::size_t>(count)); }

float dot_in_lanes(const float* a, const float* b, std::int64_t count) {
  float lanes[16] = {};
  for (std::int64_t j = 0; j < count; ++j) {
    const float term = a[j] * b[j];
    lanes[j % 16] += term;
  }
  for (int half = 8; half > 0; half /= 2) {
    for (int lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  }
  return lanes[0];
}

/// multiply() in the order that the kernels document.
Values scalar_multiply(const Values& matrix, MatrixShape shape, const Values& q, int rank) {
  Values p = zeros(rank * shape.rows);
  for (std::int64_t first = 0; first < shape.columns; first += kBlockColumns) {
    const std::int64_t count = std::min(kBlockColumns, shape.columns - first);
    for (std::int64_t at = 0; at < rank * shape.rows; ++at) {
      const std::int64_t row = at % shape.rows;
      const std::int64_t c = at / shape.rows;
      p[static_cast<std::size_t>(at)] +=
          dot_in_lanes(&matrix[row * shape.columns + first], &q[c * shape.columns + first], count);
    }
  }
  return p;
}

float column_dot(const float* column, std::int64_t stride, const float* weights,
                 std::int64_t rows) {
  const auto term = [&](std::int64_t row) { return column[row * stride] * weights[row]; };
  float sum = 0.0F;
  std::int64_t row = 0;
  for (; row + 4 <= rows; row += 4) {
    sum += (term(row) + term(row + 1)) + (term(row + 2) + term(row + 3));
  }
  for (; row < rows; ++row) sum += term(row);
  return sum;
}

/// multiply_transposed() in the order that the kernels document.
Values scalar_transposed(const Values& matrix, MatrixShape shape, const Values& p, int rank) {
  Values q = zeros(rank * shape.columns);
  for (std::int64_t first = 0; first < shape.rows; first += kBlockRows) {
    const std::int64_t count = std::min(kBlockRows, shape.rows - first);
    for (std::int64_t at = 0; at < rank * shape.columns; ++at) {
      const std::int64_t j = at % shape.columns;
      const std::int64_t c = at / shape.columns;
      q[static_cast<std::size_t>(at)] += column_dot(
          &matrix[first * shape.columns + j], shape.columns, &p[c * shape.rows + first], count);
    }
  }
  return q;
}

Values scalar_product(const Values& p, const Values& q, MatrixShape shape, int rank) {
  Values out = zeros(shape.numel());
  for (std::int64_t i = 0; i < shape.numel(); ++i) {
    float sum = p[i / shape.columns] * q[i % shape.columns];
    for (int c = 1; c < rank; ++c) {
      sum += p[c * shape.rows + i / shape.columns] * q[c * shape.columns + i % shape.columns];
    }
    out[static_cast<std::size_t>(i)] = sum;
  }
  return out;
}

TEST(LowRank, AConvolutionIsAMatrixOfItsOutputs) {
  const auto shape = [](std::vector<std::int64_t> sizes) { return matrix_shape(sizes); };
  EXPECT_EQ(shape({64, 3, 3, 3}).rows, 64);
  EXPECT_EQ(shape({64, 3, 3, 3}).columns, 27);
  EXPECT_EQ(shape({10, 512}).columns, 512);
  EXPECT_EQ(shape({100}).rows, 1);
  EXPECT_EQ(shape({100}).columns, 100);
  EXPECT_EQ(shape({}).numel(), 1);
  EXPECT_EQ(shape({0, 5}).numel(), 0);
  EXPECT_EQ(shape({65536, 65536, 2}).numel(), std::int64_t{1} << 33);
}

TEST(LowRank, EveryTargetGivesTheBitsOfTheDocumentedOrder) {
  for (const MatrixShape shape : kShapes) {
    for (const int rank : {1, 3, 4, 9}) {
      SCOPED_TRACE(testing::Message() << shape.rows << "x" << shape.columns << " rank " << rank);
      const Values matrix = random_values(shape.numel(), 1);
      const Values q = random_values(rank * shape.columns, 2);
      const Values p = random_values(rank * shape.rows, 3);
      const Values expected_p = scalar_multiply(matrix, shape, q, rank);
      const Values expected_q = scalar_transposed(matrix, shape, p, rank);
      const Values expected_out = scalar_product(p, q, shape, rank);
      for (const std::int64_t target : simd_targets()) {
        SCOPED_TRACE(hwy::TargetName(target));
        const OnTarget only(target);
        Values got_p = zeros(rank * shape.rows);
        multiply(matrix, shape, q, got_p);
        EXPECT_TRUE(got_p == expected_p) << "P";
        Values got_q = zeros(rank * shape.columns);
        multiply_transposed(matrix, shape, p, got_q);
        EXPECT_TRUE(got_q == expected_q) << "Q";
        Values out = zeros(shape.numel());
        product(p, q, shape, out);
        EXPECT_TRUE(out == expected_out) << "product";
      }
    }
  }
}

TEST(LowRank, TheResidualLosesWhatIsSent) {
  const MatrixShape shape{5, 1050};
  const Values p = random_values(2 * shape.rows, 1);
  const Values q = random_values(2 * shape.columns, 2);
  const Values before = random_values(shape.numel(), 3);
  Values out = zeros(shape.numel());
  Values residual = before;
  product_and_residual(p, q, shape, out, residual);
  EXPECT_EQ(out, scalar_product(p, q, shape, 2));
  for (std::size_t i = 0; i < out.size(); ++i) EXPECT_EQ(residual[i], before[i] - out[i]);
}

// The bound: 16 lanes and blocks keep the terms that one rounding error passes through below
// 4096 / 16 + 4 + 18, so about 2e-5 of the sum of magnitudes at most; it is far less.
TEST(LowRank, ProductsAreCloseToFloat64) {
  const MatrixShape shape{3, 70000};
  const Values matrix = random_values(shape.numel(), 1);
  const Values q = random_values(shape.columns, 2);
  Values p = zeros(shape.rows);
  multiply(matrix, shape, q, p);
  const MatrixShape transposed{70000, 3};
  Values other = zeros(3);
  multiply_transposed(matrix, transposed, q, other);
  for (std::int64_t row = 0; row < 3; ++row) {
    double sum = 0.0;
    double of_transposed = 0.0;
    for (std::int64_t j = 0; j < shape.columns; ++j) {
      sum += static_cast<double>(matrix[row * shape.columns + j]) * static_cast<double>(q[j]);
      of_transposed += static_cast<double>(matrix[j * 3 + row]) * static_cast<double>(q[j]);
    }
    const double magnitudes = 0.64 * static_cast<double>(shape.columns);  // E|xy| = 2 / pi
    EXPECT_NEAR(p[row], sum, 1e-7 * magnitudes);
    EXPECT_NEAR(other[row], of_transposed, 1e-7 * magnitudes);
  }
}

TEST(LowRank, FullRankIsExactToFloat32) {
  for (const MatrixShape shape : {MatrixShape{20, 70}, MatrixShape{70, 20}, MatrixShape{64, 64}}) {
    const std::int64_t rank = std::min(shape.rows, shape.columns);
    const Values matrix = random_values(shape.numel(), 4);
    Values q = random_values(rank * shape.columns, 5);
    Values p = zeros(rank * shape.rows);
    multiply(matrix, shape, q, p);
    EXPECT_EQ(orthogonalise(p, shape.rows), rank);
    multiply_transposed(matrix, shape, p, q);
    Values out = zeros(shape.numel());
    product(p, q, shape, out);
    EXPECT_LT(std::sqrt(squared_distance(matrix, out) / squared_norm(matrix)), 1e-6);
  }
}

TEST(LowRank, EmptyMatricesAndNoColumnsAreNothing) {
  Values none;
  Values p(5, 1.0F);
  multiply(none, {5, 0}, none, p);
  EXPECT_EQ(p, Values(5, 0.0F));
  Values q(5, 1.0F);
  multiply_transposed(none, {0, 5}, none, q);
  EXPECT_EQ(q, Values(5, 0.0F));
  product(none, none, {0, 5}, none);
  Values out(6, 1.0F);
  product(none, none, {2, 3}, out);
  EXPECT_EQ(out, Values(6, 0.0F));
}

TEST(LowRank, SizesThatDoNotFitAreRefused) {
  Values five(5);
  Values six(6);
  EXPECT_THROW(multiply(five, {2, 3}, six, six), ContractError);
  EXPECT_THROW(multiply(six, {2, 3}, five, six), ContractError);
  EXPECT_THROW(multiply_transposed(six, {2, 3}, six, six), ContractError);
  EXPECT_THROW(product_and_residual(Values(2), Values(3), {2, 3}, six, five), ContractError);
}

TEST(LowRank, OnlyMissingColumnsAreDrawn) {
  Values q{0.0F, 0.0F, 0.0F, 1.0F, 0.0F, 0.0F, 0.0F, 0.0F, 0.0F};
  draw_missing_columns(q, 3, 7);
  EXPECT_EQ((Values{q.begin() + 3, q.begin() + 6}), (Values{1.0F, 0.0F, 0.0F}));
  EXPECT_NE(q[0], 0.0F);
  EXPECT_NE(q[6], 0.0F);
  EXPECT_NE(q[0], q[6]);
  Values again(9);
  draw_missing_columns(again, 3, 7);
  EXPECT_EQ(again[0], q[0]);
  EXPECT_EQ(again[8], q[8]);
  Values other(9);
  draw_missing_columns(other, 3, 8);
  EXPECT_NE(other[0], q[0]);
}

}  // namespace
}  // namespace convoy::compress
