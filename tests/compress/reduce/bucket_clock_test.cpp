// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/bucket_clock.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace convoy::compress::internal {
namespace {

Bucket bucket_of(const std::vector<std::string>& names) {
  Bucket bucket;
  for (const auto& name : names) bucket.layers.push_back({.name = name});
  return bucket;
}

class BucketClockTest : public testing::Test {
 protected:
  /// One step, in which each bucket comes so many seconds after its beginning.
  void step(const std::vector<std::vector<std::string>>& buckets, const std::vector<int>& seconds) {
    now_ += std::chrono::hours(1);
    clock_.begin_step(now_);
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      clock_.arrives(bucket_of(buckets[i]), now_ + std::chrono::seconds(seconds[i]));
    }
  }

  BucketClock clock_;
  BucketClock::Clock::time_point now_{};
};

TEST_F(BucketClockTest, KeepsTheEarliest) {
  step({{"c", "b"}, {"a"}}, {1, 5});
  step({{"c", "b"}, {"a"}}, {2, 3});
  EXPECT_EQ(clock_.ready(), (std::vector{1.0, 3.0}));
  EXPECT_EQ(clock_.bucket_of_layer(), (BucketOfLayer{{"a", 1}, {"b", 0}, {"c", 0}}));
}

TEST_F(BucketClockTest, StartsAnewWhereBucketsAreCutAnew) {
  step({{"a"}, {"b"}, {"c"}}, {1, 2, 3});
  step({{"a", "b"}, {"c"}}, {4, 6});
  EXPECT_EQ(clock_.ready(), (std::vector{4.0, 6.0, 3.0}));  // the last one goes with the next step
  step({{"a", "b"}, {"c"}}, {5, 5});
  EXPECT_EQ(clock_.ready(), (std::vector{4.0, 5.0}));
  EXPECT_EQ(clock_.bucket_of_layer(), (BucketOfLayer{{"a", 0}, {"b", 0}, {"c", 1}}));
}

}  // namespace
}  // namespace convoy::compress::internal
