// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/internal/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

#include "tests/trainer/data/data_files.h"

namespace convoy::trainer::internal {
namespace {

TEST(Split, PartsAreDisjointCompleteAndSorted) {
  const Split split = split_at_random(1000, 0.25, 3, "x");
  EXPECT_EQ(split.test.size(), 250U);
  EXPECT_TRUE(std::is_sorted(split.train.begin(), split.train.end()));
  EXPECT_TRUE(std::is_sorted(split.test.begin(), split.test.end()));
  std::vector<std::int64_t> all;
  std::merge(split.train.begin(), split.train.end(), split.test.begin(), split.test.end(),
             std::back_inserter(all));
  ASSERT_EQ(all.size(), 1000U);
  for (std::int64_t i = 0; i < 1000; ++i) EXPECT_EQ(all[i], i);
}

TEST(Split, DependsOnTheSeedAndIsShuffled) {
  const auto test = split_at_random(1000, 0.1, 3, "x").test;
  EXPECT_EQ(test, split_at_random(1000, 0.1, 3, "x").test);
  EXPECT_NE(test, split_at_random(1000, 0.1, 4, "x").test);
  EXPECT_GT(test.back(), 500);
  EXPECT_LT(test.front(), 500);
}

TEST(Split, LeavesNoPartEmpty) {
  EXPECT_EQ(held_back_count(2, 0.001, "x"), 1);
  EXPECT_EQ(held_back_count(2, 0.999, "x"), 1);
  EXPECT_EQ(held_back_count(60'000, 0.1, "x"), 6'000);
  EXPECT_EQ(test::config_error([] { (void)held_back_count(1, 0.5, "/x/a.csv"); }),
            "/x/a.csv: 1 sample cannot be split into training and evaluation parts");
}

}  // namespace
}  // namespace convoy::trainer::internal
