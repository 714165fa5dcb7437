// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/internal/bucket_layout.h"

#include <gtest/gtest.h>

namespace convoy::tests {
namespace {

using Indices = std::vector<std::size_t>;
using Layout = std::vector<Indices>;
using trainer::internal::complete_order;
using trainer::internal::cut_buckets;

TEST(CutBuckets, ClosesABucketWhenItIsFull) {
  const Indices order{2, 0, 1, 3};
  const std::vector<std::int64_t> numels{10, 20, 30, 40};
  EXPECT_EQ(cut_buckets(order, numels, std::vector<bool>(4), 160), (Layout{{2, 0}, {1, 3}}));
  EXPECT_EQ(cut_buckets(order, numels, std::vector<bool>(4), 161), (Layout{{2, 0, 1}, {3}}));
}

TEST(CutBuckets, KeepsDenseApartInTheOrderInWhichTheyFill) {
  const Indices order{5, 4, 3, 2, 1, 0};
  const std::vector<std::int64_t> numels{10, 1, 10, 1, 10, 1};
  const std::vector<bool> weights{true, false, true, false, true, false};
  EXPECT_EQ(cut_buckets(order, numels, weights, 80), (Layout{{4, 2}, {5, 3, 1}, {0}}));
  EXPECT_EQ(cut_buckets(order, numels, weights, 8), (Layout{{4}, {5, 3}, {2}, {0}, {1}}));
}

TEST(CutBuckets, GivesEveryParameterItsOwnForOneByte) {
  const std::vector<std::int64_t> numels{5, 5};
  EXPECT_EQ(cut_buckets(Indices{1, 0}, numels, {false, true}, 1), (Layout{{1}, {0}}));
}

TEST(CutBuckets, MakesNoneOfNothing) { EXPECT_TRUE(cut_buckets({}, {}, {}, 1).empty()); }

TEST(CompleteOrder, AppendsWhatWasNotSeenFromTheBack) {
  EXPECT_EQ(complete_order(Indices{3, 1}, 5), (Indices{3, 1, 4, 2, 0}));
  EXPECT_EQ(complete_order({}, 3), (Indices{2, 1, 0}));
}

}  // namespace
}  // namespace convoy::tests
