// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/plan_schedule.h"

#include <gtest/gtest.h>

namespace convoy::tests {
namespace {

using compress::internal::PlanSchedule;

TEST(PlanSchedule, WindowsAreTheLastStepsBeforeTheirEnds) {
  for (const std::int64_t warmup : {0, 2, 3, 10}) {
    for (const std::int64_t every : {3, 4, 7}) {
      const PlanSchedule schedule{
          .warmup_steps = warmup, .adapt_every = every, .window = 3, .plan_lag = 1};
      for (std::int64_t step = 0; step < 40; ++step) {
        // Ends at warmup + k * every that have room for three steps before them.
        bool belongs = false;
        for (std::int64_t end = warmup; end < 60; end += every) {
          if (end == step && end >= 3) {
            EXPECT_TRUE(schedule.window_ended(step)) << warmup << " " << every << " " << step;
          }
          belongs = belongs || (end >= 3 && end - 3 <= step && step < end);
        }
        EXPECT_EQ(schedule.in_window(step), belongs) << warmup << " " << every << " " << step;
        if (step < warmup || (step - warmup) % every != 0 || step < 3) {
          EXPECT_FALSE(schedule.window_ended(step)) << warmup << " " << every << " " << step;
        }
      }
    }
  }
}

}  // namespace
}  // namespace convoy::tests
