// SPDX-License-Identifier: Apache-2.0
#include "trainer/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/errors.h"

namespace convoy::trainer {
namespace {

double step_rate(const ScheduleConfig& schedule, double base_lr, std::int64_t step) {
  const auto cuts = static_cast<double>(step / schedule.step_every);
  return base_lr * std::pow(schedule.step_factor, cuts);
}

double cosine_rate(const ScheduleConfig& schedule, double base_lr, std::int64_t step,
                   std::int64_t total_steps) {
  const std::int64_t top = std::max<std::int64_t>(schedule.warmup_steps - 1, 0);
  const std::int64_t last = total_steps - 1;
  if (step <= top || last <= top) return base_lr;
  if (step == last) return schedule.final_lr;
  const double done = static_cast<double>(step - top) / static_cast<double>(last - top);
  const double weight = 0.5 * (1.0 + std::cos(std::numbers::pi * done));
  return schedule.final_lr + (base_lr - schedule.final_lr) * weight;
}

}  // namespace

double learning_rate(const ScheduleConfig& schedule, double base_lr, std::int64_t step,
                     std::int64_t total_steps) {
  require(step >= 0 && step < total_steps, "learning_rate needs 0 <= step < total_steps");
  check_config(schedule);
  double rate = base_lr;
  if (schedule.name == "step") rate = step_rate(schedule, base_lr, step);
  if (schedule.name == "cosine") rate = cosine_rate(schedule, base_lr, step, total_steps);
  if (step >= schedule.warmup_steps - 1) return rate;
  return rate * static_cast<double>(step + 1) / static_cast<double>(schedule.warmup_steps);
}

}  // namespace convoy::trainer
