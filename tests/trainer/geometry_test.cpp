// SPDX-License-Identifier: Apache-2.0
#include "trainer/geometry.h"

#include <gtest/gtest.h>

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

TEST(Geometry, RefusesMoreRanksThanSamples) {
  EXPECT_THROW(Geometry(config(1, 1, 1), 3, 4), ConfigError);
}

}  // namespace
}  // namespace convoy::trainer
