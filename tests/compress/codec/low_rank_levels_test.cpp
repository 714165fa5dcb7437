// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/errors.h"
#include "compress/codec/low_rank.h"
#include "tests/compress/codec/matrices.h"

namespace convoy::compress {
namespace {

using Values = std::vector<float>;

Values zeros(std::int64_t count) { return Values(static_cast<std::size_t>(count)); }

std::vector<Level> ranks_to(int largest) {
  std::vector<Level> levels;
  for (int rank = 1; rank <= largest; ++rank) levels.emplace_back(rank);
  return levels;
}

/// Squared singular values, largest first: the diagonal of M^T M after Jacobi rotations.
std::vector<double> squared_singular_values(const Values& matrix, MatrixShape shape) {
  const auto n = static_cast<std::size_t>(shape.columns);
  std::vector<std::vector<double>> a(n, std::vector<double>(n));
  for (std::size_t at = 0; at < matrix.size(); ++at) {
    for (std::size_t j = 0; j < n; ++j) {
      a[at % n][j] += static_cast<double>(matrix[at]) * static_cast<double>(matrix[at / n * n + j]);
    }
  }
  for (std::size_t step = 0; step < 12 * n * n; ++step) {
    const std::size_t p = step / n % n;
    const std::size_t q = step % n;
    if (p >= q || a[p][q] == 0.0) continue;
    const double angle = 0.5 * std::atan2(2.0 * a[p][q], a[q][q] - a[p][p]);
    const double c = std::cos(angle);
    const double s = std::sin(angle);
    for (std::size_t k = 0; k < n; ++k) {
      const double row_p = a[p][k];
      a[p][k] = c * row_p - s * a[q][k];
      a[q][k] = s * row_p + c * a[q][k];
    }
    for (std::size_t k = 0; k < n; ++k) {
      const double column_p = a[k][p];
      a[k][p] = c * column_p - s * a[k][q];
      a[k][q] = s * column_p + c * a[k][q];
    }
  }
  std::vector<double> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = a[i][i];
  std::sort(values.rbegin(), values.rend());
  return values;
}

/// What power_sgd itself loses at `rank`, starting from the leading columns of `q`.
double measured_error(const Values& matrix, MatrixShape shape, std::int64_t rank, const Values& q,
                      int iterations) {
  Values leading(q.begin(), q.begin() + rank * shape.columns);
  Values p = zeros(rank * shape.rows);
  for (int iteration = 0; iteration < iterations; ++iteration) {
    multiply(matrix, shape, leading, p);
    orthogonalise(p, shape.rows);
    multiply_transposed(matrix, shape, p, leading);
  }
  Values out = zeros(shape.numel());
  product(p, leading, shape, out);
  return squared_distance(matrix, out);
}

TEST(LowRankLevels, AgreeWithWhatIsMeasuredRankByRank) {
  const MatrixShape shape{30, 45};
  const Values matrix = decaying_matrix(shape, 0.8, 1);
  const Values start = random_values(10 * shape.columns, 2);
  Values q = start;
  const auto table = low_rank_levels(matrix, shape, ranks_to(10), q, 0);
  ASSERT_EQ(table.size(), 10U);
  for (std::int64_t rank = 1; rank <= 10; ++rank) {
    const LevelCost& cost = table[static_cast<std::size_t>(rank - 1)];
    EXPECT_EQ(cost.level, Level(static_cast<double>(rank)));
    EXPECT_EQ(cost.bytes, static_cast<double>(4 * rank * (30 + 45)));
    const double measured = measured_error(matrix, shape, rank, start, 2);
    EXPECT_NEAR(cost.error, measured, 1e-6 * squared_norm(matrix)) << rank;
  }
}

TEST(LowRankLevels, FallWithTheRankAndComeCloseToTheOptimum) {
  const MatrixShape shape{24, 14};
  double best = 0.0;
  double one_iteration = 0.0;
  double two_iterations = 0.0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Values matrix = decaying_matrix(shape, 0.75, seed);
    const double energy = squared_norm(matrix);
    const auto singular = squared_singular_values(matrix, shape);
    Values q = zeros(6 * shape.columns);
    const auto once = low_rank_levels(matrix, shape, ranks_to(6), q, seed, 1);
    std::fill(q.begin(), q.end(), 0.0F);
    const auto twice = low_rank_levels(matrix, shape, ranks_to(6), q, seed, 2);
    double optimum = energy;
    double last = energy;
    for (std::size_t r = 0; r < 6; ++r) {
      optimum -= singular[r];
      EXPECT_GE(twice[r].error, optimum - 1e-6 * energy) << "better than the best";
      EXPECT_LE(twice[r].error, last);
      last = twice[r].error;
      best += optimum / energy;
      one_iteration += once[r].error / energy;
      two_iterations += twice[r].error / energy;
    }
  }
  EXPECT_LT(two_iterations, 1.25 * best);
  EXPECT_LT(two_iterations, one_iteration);
}

TEST(LowRankLevels, AKeptQImprovesTheNextTable) {
  const MatrixShape shape{40, 60};
  const Values matrix = decaying_matrix(shape, 0.9, 3);
  Values q = zeros(4 * shape.columns);
  const double first = low_rank_levels(matrix, shape, ranks_to(4), q, 1, 1).back().error;
  const Values kept = q;
  const double second = low_rank_levels(matrix, shape, ranks_to(4), q, 1, 1).back().error;
  EXPECT_LT(second, first);
  Values continued = zeros(4 * shape.columns);
  EXPECT_EQ(low_rank_levels(matrix, shape, ranks_to(4), continued, 1, 2).back().error, second);
  EXPECT_EQ(continued, q);
  EXPECT_NE(kept, q);
}

TEST(LowRankLevels, ZeroMatricesHaveNoErrorAndDoNotSpoilTheNextStart) {
  const MatrixShape shape{6, 9};
  Values q = zeros(3 * shape.columns);
  for (const LevelCost& cost : low_rank_levels(zeros(54), shape, ranks_to(3), q, 1)) {
    EXPECT_EQ(cost.error, 0.0);
  }
  const Values matrix = random_values(54, 2);
  EXPECT_LT(low_rank_levels(matrix, shape, ranks_to(3), q, 1)[2].error, squared_norm(matrix) / 2);
}

TEST(LowRankLevels, FullRankAndAboveLeaveNothing) {
  const MatrixShape shape{3, 20};
  const Values matrix = random_values(60, 1);
  Values q = zeros(8 * shape.columns);
  const std::vector<Level> levels{Level(8), Level::dense(), Level(3), Level(1)};
  const auto table = low_rank_levels(matrix, shape, levels, q, 1);
  EXPECT_NEAR(table[0].error, 0.0, 1e-5);
  EXPECT_GE(table[0].error, 0.0);
  EXPECT_EQ(table[0].bytes, 4.0 * 3 * 23);
  EXPECT_EQ(table[0].error, table[2].error);
  EXPECT_EQ(table[1].error, 0.0);
  EXPECT_EQ(table[1].bytes, 240.0);
  EXPECT_EQ(table[3].bytes, 4.0 * 23);
  EXPECT_GT(table[3].error, 1.0);
}

TEST(LowRankLevels, ARankDeficientMatrixIsExactFromItsRankOn) {
  const MatrixShape shape{20, 30};
  const Values left = random_values(2 * 20, 1);
  const Values right = random_values(2 * 30, 2);
  Values matrix = zeros(600);
  product(left, right, shape, matrix);
  Values q = zeros(5 * shape.columns);
  const auto table = low_rank_levels(matrix, shape, ranks_to(5), q, 1);
  EXPECT_GT(table[0].error, 1.0);
  for (std::size_t r = 1; r < 5; ++r) {
    EXPECT_NEAR(table[r].error, 0.0, 1e-5);
    EXPECT_GE(table[r].error, 0.0);
  }
  for (const float value : q) EXPECT_TRUE(std::isfinite(value));
}

TEST(LowRankLevels, NonFiniteValuesAreNotHidden) {
  Values matrix = random_values(60, 1);
  matrix[17] = std::numeric_limits<float>::quiet_NaN();
  Values q = zeros(2 * 20);
  for (const LevelCost& cost : low_rank_levels(matrix, {3, 20}, ranks_to(2), q, 1)) {
    EXPECT_TRUE(std::isnan(cost.error));
  }
}

TEST(LowRankLevels, OnlyWholeRanksAndALargeEnoughQ) {
  const Values matrix = random_values(60, 1);
  Values q = zeros(20);
  const std::vector<Level> half{Level(0.5)};
  const std::vector<Level> two{Level(2)};
  EXPECT_THROW((void)low_rank_levels(matrix, {3, 20}, half, q, 1), ContractError);
  EXPECT_THROW((void)low_rank_levels(matrix, {3, 20}, two, q, 1), ContractError);
  EXPECT_THROW((void)low_rank_levels(matrix, {3, 20}, ranks_to(1), q, 1, 0), ContractError);
}

}  // namespace
}  // namespace convoy::compress
