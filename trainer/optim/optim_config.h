// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace convoy::trainer {

/// train.optimizer of the job file.
struct OptimizerConfig {
  std::string name = "sgd";  ///< "sgd" | "adamw"
  double lr = 0.05;          ///< learning rate after warm-up
  double momentum = 0.9;     ///< sgd
  bool nesterov = false;     ///< sgd
  double weight_decay = 0.0;
  double beta1 = 0.9;    ///< adamw
  double beta2 = 0.999;  ///< adamw
  double eps = 1e-8;     ///< adamw
  /// Decay norms and biases (parameters of fewer than two dimensions) too.
  bool decay_all = true;
};

/// train.schedule of the job file: the learning rate over the steps of the run. Warm-up has reached
/// lr at step warmup_steps - 1 (0-based); steps of the other parts are counted from the run's
/// start.
struct ScheduleConfig {
  std::string name = "constant";  ///< "constant" | "step" | "cosine"
  std::int64_t warmup_steps = 0;  ///< linear from lr/warmup_steps to lr
  std::int64_t step_every = 0;    ///< step: steps between two cuts
  double step_factor = 0.1;       ///< step: what a cut multiplies by
  double final_lr = 0.0;          ///< cosine: reached at the last step
};

/// Checks names and ranges. @throws ConfigError that names the key and its range.
void check_config(const OptimizerConfig& config);
void check_config(const ScheduleConfig& config);

}  // namespace convoy::trainer
