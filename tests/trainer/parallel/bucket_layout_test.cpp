// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/internal/bucket_layout.h"

#include <gtest/gtest.h>

#include <numeric>

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

TEST(CutBuckets, BeginsSmallAndEndsSmall) {
  constexpr std::size_t kMiB = std::size_t{1} << 20;
  Indices order(40);
  std::iota(order.begin(), order.end(), 0);
  const std::vector<std::int64_t> halves(40, 128 << 10);  // half a MiB each
  const auto sizes = [&](const std::vector<bool>& compressed, std::size_t bucket_bytes) {
    Indices found;
    for (const auto& bucket : cut_buckets(order, halves, compressed, bucket_bytes)) {
      found.push_back(bucket.size());
    }
    return found;
  };
  EXPECT_EQ(sizes(std::vector<bool>(40), 4 * kMiB), (Indices{1, 8, 8, 8, 8, 4, 2, 1}));
  // Each kind by itself: 20 of each.
  std::vector<bool> every_other(40);
  for (std::size_t i = 1; i < 40; i += 2) every_other[i] = true;
  EXPECT_EQ(sizes(every_other, 4 * kMiB), (Indices{1, 1, 8, 8, 6, 6, 3, 3, 1, 1, 1, 1}));
  // No bucket below 128 KiB for what a whole one holds.
  EXPECT_EQ(
      cut_buckets(order, std::vector<std::int64_t>(40, 819), std::vector<bool>(40), kMiB).size(),
      1U);
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
