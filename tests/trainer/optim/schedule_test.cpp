// SPDX-License-Identifier: Apache-2.0
#include "trainer/optim/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/errors.h"

namespace convoy::trainer {
namespace {

constexpr double kLr = 0.4;
constexpr double kPi = 3.14159265358979323846;

TEST(Schedule, ConstantIsConstant) {
  for (const std::int64_t step : {0, 1, 57, 99}) {
    EXPECT_EQ(learning_rate({}, kLr, step, 100), kLr);
  }
}

TEST(Schedule, WarmupIsLinearAndEndsAtTheFullRate) {
  const ScheduleConfig schedule{.warmup_steps = 8};
  EXPECT_DOUBLE_EQ(learning_rate(schedule, kLr, 0, 100), kLr / 8);
  EXPECT_DOUBLE_EQ(learning_rate(schedule, kLr, 3, 100), kLr * 4 / 8);
  EXPECT_DOUBLE_EQ(learning_rate(schedule, kLr, 6, 100), kLr * 7 / 8);
  EXPECT_EQ(learning_rate(schedule, kLr, 7, 100), kLr);
  EXPECT_EQ(learning_rate(schedule, kLr, 8, 100), kLr);
}

TEST(Schedule, WarmupMayBeLongerThanTheRun) {
  EXPECT_DOUBLE_EQ(learning_rate({.name = "cosine", .warmup_steps = 10}, kLr, 4, 5), kLr * 5 / 10);
}

TEST(Schedule, StepCutsAtItsMultiples) {
  const ScheduleConfig schedule{.name = "step", .step_every = 30, .step_factor = 0.5};
  EXPECT_EQ(learning_rate(schedule, kLr, 29, 100), kLr);
  EXPECT_EQ(learning_rate(schedule, kLr, 30, 100), kLr / 2);
  EXPECT_EQ(learning_rate(schedule, kLr, 59, 100), kLr / 2);
  EXPECT_EQ(learning_rate(schedule, kLr, 60, 100), kLr / 4);
  EXPECT_EQ(learning_rate(schedule, kLr, 99, 100), kLr / 8);
}

TEST(Schedule, StepCutsHoldWithinTheWarmup) {
  const ScheduleConfig schedule{
      .name = "step", .warmup_steps = 4, .step_every = 2, .step_factor = 0.5};
  EXPECT_DOUBLE_EQ(learning_rate(schedule, kLr, 1, 9), kLr * 2 / 4);
  EXPECT_DOUBLE_EQ(learning_rate(schedule, kLr, 2, 9), kLr * 0.5 * 3 / 4);
}

TEST(Schedule, CosineRunsFromTheFullRateToTheFinalOne) {
  const ScheduleConfig schedule{.name = "cosine", .final_lr = 0.1};
  EXPECT_EQ(learning_rate(schedule, kLr, 0, 101), kLr);
  EXPECT_NEAR(learning_rate(schedule, kLr, 50, 101), 0.25, 1e-12);
  EXPECT_NEAR(learning_rate(schedule, kLr, 25, 101), 0.1 + 0.3 * (1 + std::cos(kPi / 4)) / 2,
              1e-12);
  EXPECT_EQ(learning_rate(schedule, kLr, 100, 101), 0.1);
}

TEST(Schedule, CosineStartsWhereTheWarmupEnds) {
  const ScheduleConfig schedule{.name = "cosine", .warmup_steps = 10};
  EXPECT_EQ(learning_rate(schedule, kLr, 9, 110), kLr);
  const double after_one = 0.5 * kLr * (1 + std::cos(kPi / 100));
  EXPECT_NEAR(learning_rate(schedule, kLr, 10, 110), after_one, 1e-12);
  EXPECT_EQ(learning_rate(schedule, kLr, 109, 110), 0.0);
}

TEST(Schedule, ARunOfOneStepTrains) {
  EXPECT_EQ(learning_rate({.name = "cosine"}, kLr, 0, 1), kLr);
}

TEST(Schedule, StepOutsideTheRunIsABug) {
  EXPECT_THROW((void)learning_rate({}, kLr, 100, 100), ContractError);
  EXPECT_THROW((void)learning_rate({}, kLr, -1, 100), ContractError);
}

}  // namespace
}  // namespace convoy::trainer
