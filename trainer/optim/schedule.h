// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "trainer/optim/optim_config.h"

namespace convoy::trainer {

/// Learning rate of step `step` (0-based) in a run of `total_steps`. Pure.
/// Warm-up of w > 0 steps: base_lr * (step + 1) / w, so step 0 has base_lr / w and step w - 1
/// base_lr, whatever the schedule. After it:
///   constant  base_lr;
///   step      base_lr * step_factor^k after k cuts, at steps step_every, 2 step_every, ... of the
///             run (cuts that fall into the warm-up hold too: its rate is multiplied by them);
///   cosine    half a cosine from base_lr, at step 0 or at the last step of the warm-up, to
///   final_lr
///             at step total_steps - 1. A run that ends with its warm-up never leaves base_lr.
/// @throws ContractError unless 0 <= step < total_steps; ConfigError as check_config().
[[nodiscard]] double learning_rate(const ScheduleConfig& schedule, double base_lr,
                                   std::int64_t step, std::int64_t total_steps);

}  // namespace convoy::trainer
