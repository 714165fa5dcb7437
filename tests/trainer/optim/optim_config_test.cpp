// SPDX-License-Identifier: Apache-2.0
#include "trainer/optim/optim_config.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "base/errors.h"

namespace convoy::trainer {
namespace {

template <typename Config>
std::string error_of(const Config& config) {
  try {
    check_config(config);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(OptimConfig, DefaultsAreGood) {
  EXPECT_EQ(error_of(OptimizerConfig{}), "");
  EXPECT_EQ(error_of(ScheduleConfig{}), "");
}

TEST(OptimConfig, OptimizerErrorsNameTheKeyAndTheValue) {
  EXPECT_EQ(error_of(OptimizerConfig{.name = "sgdd"}),
            "train.optimizer.name must be \"sgd\" or \"adamw\", not \"sgdd\"");
  EXPECT_EQ(error_of(OptimizerConfig{.lr = -0.1}),
            "train.optimizer.lr must be a finite number >= 0, not -0.1");
  EXPECT_NE(error_of(OptimizerConfig{.lr = std::numeric_limits<double>::quiet_NaN()}), "");
  EXPECT_EQ(error_of(OptimizerConfig{.momentum = 1.0}),
            "train.optimizer.momentum must be in [0, 1), not 1");
  EXPECT_EQ(error_of(OptimizerConfig{.momentum = 0.0, .nesterov = true}),
            "train.optimizer.nesterov needs a momentum > 0");
  EXPECT_NE(error_of(OptimizerConfig{.weight_decay = -1.0}), "");
  EXPECT_NE(error_of(OptimizerConfig{.name = "adamw", .beta2 = 1.5}), "");
}

TEST(OptimConfig, ScheduleErrorsNameTheKeyAndTheValue) {
  EXPECT_NE(error_of(ScheduleConfig{.name = "linear"}), "");
  EXPECT_EQ(error_of(ScheduleConfig{.name = "step"}),
            "train.schedule.step_every must be >= 1, not 0");
  EXPECT_EQ(error_of(ScheduleConfig{.warmup_steps = -1}),
            "train.schedule.warmup_steps must be >= 0, not -1");
  EXPECT_NE(error_of(ScheduleConfig{.name = "cosine", .final_lr = -1.0}), "");
}

}  // namespace
}  // namespace convoy::trainer
