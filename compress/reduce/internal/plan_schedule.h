// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace convoy::compress::internal {

/// Which steps feed a plan, and when it takes effect. Pure arithmetic on step numbers, so that runs
/// repeat and resume alike. Windows end where step = warmup + k * adapt_every (k = 0, 1, ...), for
/// all k that leave room for a whole window.
struct PlanSchedule {
  std::int64_t warmup_steps = 0;
  std::int64_t adapt_every = 100;
  std::int64_t window = 10;
  std::int64_t plan_lag = 10;

  /// A window has ended just before `step`.
  [[nodiscard]] bool window_ended(std::int64_t step) const {
    return step >= warmup_steps && step >= window && (step - warmup_steps) % adapt_every == 0;
  }
  /// The gradients of `step` belong to a window.
  [[nodiscard]] bool in_window(std::int64_t step) const {
    // The first end of a window behind this step.
    const std::int64_t behind = step < warmup_steps ? 0 : (step - warmup_steps) / adapt_every + 1;
    const std::int64_t end = warmup_steps + behind * adapt_every;
    return end >= window && step >= end - window;
  }
};

}  // namespace convoy::compress::internal
