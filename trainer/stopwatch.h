// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace convoy::trainer {

/// Seconds on the monotonic clock, cut into laps.
class Stopwatch {
 public:
  using Clock = std::chrono::steady_clock;

  /// Seconds since the last lap (or since construction); starts the next.
  double lap() {
    const auto now = Clock::now();
    const std::chrono::duration<double> passed = now - last_;
    last_ = now;
    return passed.count();
  }
  /// When the lap that is under way began.
  [[nodiscard]] Clock::time_point began() const { return last_; }

 private:
  Clock::time_point last_ = Clock::now();
};

}  // namespace convoy::trainer
