// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/step_guard.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <vector>

namespace convoy::compress::internal {
namespace {

/// Seconds of step `step`, by its kind.
using Seconds = std::function<double(std::int64_t step, bool dense)>;

/// Runs a guard over steps; which of them were dense.
class Trial {
 public:
  explicit Trial(Seconds seconds, double dense_costs = 0.0)
      : seconds_(std::move(seconds)), dense_costs_(dense_costs) {}

  const std::vector<bool>& to(std::int64_t end) {
    for (; std::ssize(dense) < end; last_ = seconds_(std::ssize(dense) - 1, dense.back())) {
      dense.push_back(
          guard.begin_step(std::ssize(dense), last_, dense_costs_, [](double own) { return own; }));
    }
    return dense;
  }
  [[nodiscard]] std::int64_t dense_steps(std::int64_t begin, std::int64_t end) const {
    return std::count(dense.begin() + begin, dense.begin() + end, true);
  }

  StepGuard guard{100, 50};
  std::vector<bool> dense;

 private:
  Seconds seconds_;
  double dense_costs_;
  double last_ = 0.0;
};

TEST(StepGuard, LeavesFasterPlansAloneAndTriesEverMoreRarely) {
  Trial run([](std::int64_t, bool dense) { return dense ? 2.0 : 1.0; });
  run.to(5000);
  EXPECT_EQ(run.dense_steps(0, 100), 0);
  EXPECT_EQ(run.dense_steps(100, 104), 4);  // the first trial
  EXPECT_FALSE(run.guard.state().dense);
  // At 100, then 200 and from there on 800 (16 times 50) later.
  EXPECT_EQ(run.dense_steps(104, 5000) % 4, 0);
  EXPECT_GE(run.dense_steps(104, 5000), 4 * 5);
  EXPECT_LE(run.dense_steps(104, 5000), 4 * 8);
}

TEST(StepGuard, FallsBackAtOnceWherePlansAreClearlySlower) {
  Trial run([](std::int64_t, bool dense) { return dense ? 1.0 : 1.3; });
  run.to(400);
  EXPECT_TRUE(run.guard.state().dense);
  EXPECT_EQ(run.dense_steps(100, 154), 54);
  // From then on plans are on trial.
  EXPECT_EQ(run.dense_steps(154, 158), 0);
  EXPECT_EQ(run.dense_steps(158, 200), 42);
}

TEST(StepGuard, NeedsTwoTrialsWhereTheDifferenceIsSmall) {
  Trial run([](std::int64_t, bool dense) { return dense ? 0.95 : 1.0; });
  run.to(106);
  EXPECT_FALSE(run.guard.state().dense);
  EXPECT_EQ(run.guard.state().losses, 1);
  run.to(125);
  EXPECT_TRUE(run.guard.state().dense);  // the second trial comes after a quarter of the interval
}

TEST(StepGuard, KeepsWhatItHasWhereBothAreAlike) {
  Trial run(
      [](std::int64_t step, bool dense) { return 1.0 + 0.001 * (step % 7) - (dense ? 0.02 : 0); });
  run.to(3000);
  EXPECT_FALSE(run.guard.state().dense);
  EXPECT_LE(run.dense_steps(0, 3000), 4 * 6);
}

TEST(StepGuard, IsNotMisledBySingleSteps) {
  // An evaluation between two steps, in a trial and outside.
  Trial run(
      [](std::int64_t step, bool dense) { return step % 13 == 5 ? 30.0 : (dense ? 1.2 : 1.0); });
  run.to(2000);
  EXPECT_FALSE(run.guard.state().dense);
}

TEST(StepGuard, ComesBackWhenTheLineSlowsDown) {
  Trial run([](std::int64_t step, bool dense) { return dense ? (step < 1000 ? 1.0 : 5.0) : 1.5; });
  run.to(1000);
  EXPECT_TRUE(run.guard.state().dense);
  run.to(2000);
  EXPECT_FALSE(run.guard.state().dense);
}

TEST(StepGuard, DoesNotTryWhatIsPredictedToBeHopeless) {
  Trial run([](std::int64_t, bool dense) { return dense ? 9.0 : 1.0; }, 8.0);
  run.to(3000);
  EXPECT_EQ(run.dense_steps(0, 3000), 0);
}

TEST(StepGuard, GoesByTheSlowestRank) {
  // This rank alone would fall back.
  StepGuard guard(10, 10);
  double last = 0.0;
  bool dense = false;
  for (std::int64_t step = 0; step < 40; ++step) {
    dense = guard.begin_step(step, last, 0.0,
                             [&](double own) { return own < 1.0 ? 4.0 : std::max(own, 3.0); });
    last = dense ? 0.5 : 1.0;
  }
  EXPECT_FALSE(guard.state().dense);
}

TEST(StepGuard, GoesOnFromACheckpoint) {
  Trial run([](std::int64_t, bool dense) { return dense ? 1.0 : 1.3; });
  run.to(130);
  ASSERT_TRUE(run.guard.state().dense);
  StepGuard resumed(100, 50);
  resumed.load(run.guard.state());
  EXPECT_TRUE(resumed.begin_step(130, 0.0, 0.0, [](double own) { return own; }));
  EXPECT_EQ(resumed.state().next_trial, run.guard.state().next_trial);
}

}  // namespace
}  // namespace convoy::compress::internal
