// SPDX-License-Identifier: Apache-2.0
#include "trainer/geometry.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "base/errors.h"

namespace convoy::trainer {
namespace {

TrainConfig config(std::int64_t batch, std::int64_t accumulate, std::int64_t epochs) {
  TrainConfig train;
  train.batch_size = batch;
  train.accumulate = accumulate;
  train.epochs = epochs;
  return train;
}

TEST(Geometry, CountsEveryBatchOnce) {
  for (std::int64_t samples = 4; samples < 60; ++samples) {
    for (std::int64_t accumulate = 1; accumulate < 4; ++accumulate) {
      const Geometry geometry(config(3, accumulate, 2), samples, 2);
      std::int64_t next = 0;
      for (std::int64_t step = 0; step < geometry.steps_per_epoch(); ++step) {
        const auto [begin, end] = geometry.batches_of_step(step);
        EXPECT_EQ(begin, next);
        EXPECT_GT(end, begin);
        EXPECT_EQ(geometry.step_of_position(geometry.position_of_step(step)), step);
        next = end;
      }
      EXPECT_EQ(next, geometry.batches_per_epoch());
      EXPECT_EQ(geometry.batches_per_epoch(), (samples + 5) / 6);
      EXPECT_EQ(geometry.total_steps(), 2 * geometry.steps_per_epoch());
    }
  }
}

TEST(Geometry, AnotherNumberOfRanksRoundsDown) {
  const Geometry four(config(8, 1, 1), 800, 4);
  const Geometry three(config(8, 1, 1), 800, 3);
  const std::int64_t position = four.position_of_step(10);  // 320 samples
  EXPECT_EQ(three.step_of_position(position), 13);          // 312 of them
}

std::string error_of(const TrainConfig& train, std::int64_t samples, int ranks) {
  try {
    const Geometry geometry(train, samples, ranks);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Geometry, NamesTheKeyThatIsTooLarge) {
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
  const std::string largest = std::to_string(kLargest);
  EXPECT_EQ(error_of(config(kLargest, 1, 1), 800, 2),
            "train.batch_size = " + largest + " is too large: times 2 it must be at most 2^53");
  EXPECT_EQ(
      error_of(config(8, kLargest / 8, 1), 800, 2),
      "train.accumulate = 1152921504606846975 is too large: times 16 it must be at most 2^53");
  EXPECT_EQ(error_of(config(8, 1, kLargest), 800, 2),
            "train.epochs = " + largest + " is too large: times 50 it must be at most 2^53");
  TrainConfig steps = config(8, 1, 0);
  steps.steps = kLargest;
  EXPECT_EQ(error_of(steps, 800, 2),
            "train.steps = " + largest + " is too large: times 1 it must be at most 2^53");
}

TEST(Geometry, TakesTheLargestCounts) {
  const std::int64_t most = std::int64_t{1} << 53;
  const Geometry one_step(config(most / 2, 1, 3), 800, 2);
  EXPECT_EQ(one_step.steps_per_epoch(), 1);
  EXPECT_EQ(one_step.total_steps(), 3);
  const Geometry accumulated(config(4, most / 8, 1), 800, 2);
  EXPECT_EQ(accumulated.batches_of_step(0).end, 100);
  EXPECT_EQ(accumulated.position_of_step(1), 800);
}

TEST(Geometry, RefusesMoreRanksThanSamples) {
  EXPECT_THROW(Geometry(config(1, 1, 1), 3, 4), ConfigError);
}

}  // namespace
}  // namespace convoy::trainer
