// SPDX-License-Identifier: Apache-2.0
#include "trainer/optim/optim_config.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>

#include "base/errors.h"

namespace convoy::trainer {
namespace {

void check_at_least_zero(const char* key, double value) {
  require_config(std::isfinite(value) && value >= 0.0,
                 fmt::format("{} must be a finite number >= 0, not {}", key, value));
}

/// [0, 1)
void check_share(const char* key, double value) {
  require_config(value >= 0.0 && value < 1.0,
                 fmt::format("{} must be in [0, 1), not {}", key, value));
}

}  // namespace

void check_config(const OptimizerConfig& config) {
  require_config(config.name == "sgd" || config.name == "adamw",
                 "train.optimizer.name must be \"sgd\" or \"adamw\", not \"" + config.name + "\"");
  check_at_least_zero("train.optimizer.lr", config.lr);
  check_at_least_zero("train.optimizer.weight_decay", config.weight_decay);
  check_share("train.optimizer.momentum", config.momentum);
  require_config(config.name != "sgd" || !config.nesterov || config.momentum > 0.0,
                 "train.optimizer.nesterov needs a momentum > 0");
  check_share("train.optimizer.beta1", config.beta1);
  check_share("train.optimizer.beta2", config.beta2);
  check_at_least_zero("train.optimizer.eps", config.eps);
}

void check_config(const ScheduleConfig& config) {
  require_config(config.name == "constant" || config.name == "step" || config.name == "cosine",
                 "train.schedule.name must be \"constant\", \"step\" or \"cosine\", not \"" +
                     config.name + "\"");
  require_config(
      config.warmup_steps >= 0,
      fmt::format("train.schedule.warmup_steps must be >= 0, not {}", config.warmup_steps));
  require_config(config.name != "step" || config.step_every >= 1,
                 fmt::format("train.schedule.step_every must be >= 1, not {}", config.step_every));
  check_at_least_zero("train.schedule.step_factor", config.step_factor);
  check_at_least_zero("train.schedule.final_lr", config.final_lr);
}

}  // namespace convoy::trainer
