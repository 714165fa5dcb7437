// SPDX-License-Identifier: Apache-2.0
#include "launch/bench/scaling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "comm/local/local.h"
#include "launch/bench/crowding.h"

namespace convoy::launch {
namespace {

using Ratios = std::vector<double>;

TEST(Crowding, CountsRanksForEachCoreOfTheFullestMachine) {
  EXPECT_EQ(crowding({{7, 2}, {7, 2}, {7, 2}, {7, 2}}), (Ratios{1.0, 1.0, 1.5, 2.0}));
  EXPECT_EQ(crowding({{7, 1}, {8, 1}, {8, 1}, {7, 1}, {7, 1}}), (Ratios{1.0, 1.0, 2.0, 2.0, 3.0}));
  EXPECT_EQ(crowding({{7, 64}, {7, 64}}), (Ratios{1.0, 1.0}));
}

TEST(Crowding, SeesThatThreadsShareAMachine) {
  const auto cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const int ranks = cores + 1;
  std::mutex mutex;
  std::vector<Ratios> found;
  comm::local::run(ranks, [&](comm::Communicator& communicator) {
    auto own = crowding(communicator);
    const std::lock_guard lock(mutex);
    found.push_back(std::move(own));
  });
  ASSERT_EQ(found.size(), static_cast<std::size_t>(ranks));
  for (const auto& ratios : found) {
    EXPECT_DOUBLE_EQ(ratios.back(), static_cast<double>(ranks) / cores);
    EXPECT_DOUBLE_EQ(ratios.front(), 1.0);
  }
}

TEST(Scaling, SharesTheBatchAndTheSleepOutWhereGrowthIsStrong) {
  StepBench whole;
  whole.job.train.batch_size = 16;
  whole.job.compression = {.family = "top_k", .level = 0.25};
  whole.sleep = std::chrono::duration<double>(0.4);
  const auto weak = step_of(whole, {.growth = Growth::kWeak, .family = "top_k", .ranks = 4});
  EXPECT_EQ(weak.job.train.batch_size, 16);
  EXPECT_DOUBLE_EQ(weak.sleep->count(), 0.4);
  EXPECT_EQ(weak.job.compression.level, 0.25);
  const auto strong = step_of(whole, {.growth = Growth::kStrong, .family = "none", .ranks = 4});
  EXPECT_EQ(strong.job.train.batch_size, 4);
  EXPECT_DOUBLE_EQ(strong.sleep->count(), 0.1);
  EXPECT_EQ(strong.job.compression.family, "none");
  EXPECT_EQ(strong.job.compression.level, 0.0);
}

TEST(Scaling, MeasuresDoublingRanks) {
  EXPECT_EQ(rank_counts(2), (std::vector<int>{1, 2}));
  EXPECT_EQ(rank_counts(3), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(rank_counts(4), (std::vector<int>{1, 2, 3, 4}));
  EXPECT_EQ(rank_counts(8), (std::vector<int>{1, 2, 4, 8}));
  EXPECT_EQ(rank_counts(12), (std::vector<int>{1, 2, 4, 8, 12}));
}

}  // namespace
}  // namespace convoy::launch
