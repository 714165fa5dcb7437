// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "trainer/optim/optim_config.h"

namespace convoy::trainer {

/// Learning rate of step `step` (0-based) in a run of `total_steps`. Pure.
[[nodiscard]] double learning_rate(const ScheduleConfig& schedule, double base_lr,
                                   std::int64_t step, std::int64_t total_steps);

}  // namespace convoy::trainer
