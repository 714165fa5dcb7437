// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace convoy::trainer {

/// Seconds on the monotonic clock, cut into laps.
class Stopwatch {
 public:
  /// Seconds since the last lap (or since construction); starts the next.
  double lap() {
    const auto now = Clock::now();
    const std::chrono::duration<double> passed = now - last_;
    last_ = now;
    return passed.count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_ = Clock::now();
};

}  // namespace convoy::trainer
