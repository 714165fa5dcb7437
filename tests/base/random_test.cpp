// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/errors.h"

namespace convoy {
namespace {

// Written down once: the same on every machine, or old runs cannot be repeated.
TEST(Random, GivesTheSameNumbersEverywhere) {
  Random random(1);
  EXPECT_EQ(random(), 0xb3f2af6d0fc710c5ULL);
  EXPECT_EQ(random(), 0x853b559647364ceaULL);
  EXPECT_EQ(Random({1, 2})(), Random(mix({1, 2}))());
}

TEST(Random, KeysDependOnEveryWordAndTheirOrder) {
  EXPECT_NE(mix({1, 2}), mix({2, 1}));
  EXPECT_NE(mix({1, 2}), mix({1, 3}));
  EXPECT_NE(mix({1}), mix({1, 0}));
  EXPECT_EQ(mix({7, 8, 9}), mix({7, 8, 9}));
}

TEST(Random, BelowIsUniform) {
  Random random(2);
  std::array<int, 7> counts{};
  constexpr int kDraws = 70'000;
  for (int i = 0; i < kDraws; ++i) ++counts[random.below(counts.size())];
  // 10,000 expected in each; five standard deviations are 463.
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 7, 463);
  EXPECT_EQ(random.below(1), 0U);
  EXPECT_THROW(random.below(0), ContractError);
}

TEST(Random, UniformAndNormalHaveTheirMoments) {
  Random random(3);
  constexpr int kDraws = 100'000;
  double uniform_sum = 0;
  double normal_sum = 0;
  double normal_squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    uniform_sum += u;
    const double n = random.normal();
    ASSERT_TRUE(std::isfinite(n));
    normal_sum += n;
    normal_squares += n * n;
  }
  // Five standard errors each.
  EXPECT_NEAR(uniform_sum / kDraws, 0.5, 5 * 0.2887 / std::sqrt(kDraws));
  EXPECT_NEAR(normal_sum / kDraws, 0.0, 5 / std::sqrt(kDraws));
  EXPECT_NEAR(normal_squares / kDraws, 1.0, 5 * std::sqrt(2.0 / kDraws));
}

TEST(Random, PermutationHoldsEveryNumberOnce) {
  Random random(4);
  auto order = permutation(1000, random);
  EXPECT_FALSE(std::ranges::is_sorted(order));
  std::ranges::sort(order);
  for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], static_cast<std::int64_t>(i));
  EXPECT_TRUE(permutation(0, random).empty());
}

TEST(Random, ShuffleReachesEveryOrderEquallyOften) {
  Random random(5);
  std::array<int, 6> counts{};
  constexpr int kDraws = 60'000;
  for (int i = 0; i < kDraws; ++i) {
    std::array<int, 3> items{0, 1, 2};
    shuffle(std::span<int>(items), random);
    ++counts[static_cast<std::size_t>(items[0] * 2 + (items[1] > items[2] ? 1 : 0))];
  }
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 6, 5 * 92);
}

}  // namespace
}  // namespace convoy
