// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/errors.h"
#include "compress/codec/low_rank.h"
#include "tests/compress/codec/matrices.h"

namespace convoy::compress {
namespace {

using Values = std::vector<float>;

double dot(const Values& p, std::int64_t rows, std::int64_t a, std::int64_t b) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < rows; ++i) {
    sum += static_cast<double>(p[a * rows + i]) * static_cast<double>(p[b * rows + i]);
  }
  return sum;
}

/// Largest entry of |P^T P - I|; columns that are zero count as orthonormal.
double worst_angle(const Values& p, std::int64_t rows) {
  double worst = 0.0;
  for (std::int64_t a = 0; a < std::ssize(p) / rows; ++a) {
    const double norm = dot(p, rows, a, a);
    if (norm != 0.0) worst = std::max(worst, std::abs(norm - 1.0));
    for (std::int64_t b = 0; b < a; ++b) worst = std::max(worst, std::abs(dot(p, rows, a, b)));
  }
  return worst;
}

TEST(Orthogonalise, MakesColumnsOrthonormal) {
  for (const std::int64_t rank : {1, 4, 64}) {
    Values p = random_values(rank * 100, 1);
    EXPECT_EQ(orthogonalise(p, 100), rank);
    EXPECT_LT(worst_angle(p, 100), 1e-6);
  }
}

TEST(Orthogonalise, StaysOrthonormalWhenDigitsCancel) {
  // Columns that differ by 1e-4 of their length: one projection leaves 1e-3 of an angle in float32.
  Values p = random_values(8 * 50, 1);
  const Values noise = random_values(8 * 50, 2);
  for (std::size_t i = 50; i < p.size(); ++i) p[i] = p[i % 50] + 1e-4F * noise[i];
  EXPECT_EQ(orthogonalise(p, 50), 8);
  EXPECT_LT(worst_angle(p, 50), 1e-6);
}

TEST(Orthogonalise, KeepsTheSpanOfTheFirstColumns) {
  Values p{3.0F, 4.0F, 0.0F, 1.0F, 1.0F, 1.0F};
  orthogonalise(p, 3);
  EXPECT_FLOAT_EQ(p[0], 0.6F);
  EXPECT_FLOAT_EQ(p[1], 0.8F);
  EXPECT_FLOAT_EQ(p[2], 0.0F);
}

TEST(Orthogonalise, DependentVanishingAndForeignColumnsBecomeZero) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Values p{0.0F, 0.0F, 0.0F, 1.0F,     2.0F, 3.0F, -2.0F, -4.0F, -6.0F,
           nan,  1.0F, 1.0F, infinity, 1.0F, 1.0F, 0.0F,  1.0F,  0.0F};
  EXPECT_EQ(orthogonalise(p, 3), 2);
  EXPECT_LT(worst_angle(p, 3), 1e-6);
  for (const std::size_t zero : {0, 2, 3, 4}) {
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(p[3 * zero + i], 0.0F) << zero;
  }
}

TEST(Orthogonalise, TinyAndHugeColumnsHaveADirection) {
  Values p{1e-40F, 0.0F, 0.0F, 3e38F};
  EXPECT_EQ(orthogonalise(p, 2), 2);
  EXPECT_FLOAT_EQ(p[0], 1.0F);
  EXPECT_FLOAT_EQ(p[3], 1.0F);
}

TEST(Orthogonalise, MoreColumnsThanRowsLeaveTheRestZero) {
  Values p = random_values(7 * 3, 1);
  EXPECT_EQ(orthogonalise(p, 3), 3);
  EXPECT_LT(worst_angle(p, 3), 1e-6);
}

TEST(Orthogonalise, RefusesPartsOfColumns) {
  Values p(7);
  EXPECT_THROW(orthogonalise(p, 3), ContractError);
  EXPECT_THROW(orthogonalise(p, 0), ContractError);
}

}  // namespace
}  // namespace convoy::compress
