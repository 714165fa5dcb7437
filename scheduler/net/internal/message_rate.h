// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace convoy::net::internal {

/// Lets through `per_second` messages on average over ten seconds. Pure: is told the time.
class MessageRate {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit MessageRate(double per_second);

  /// Whether one more, now, is within the limit.
  [[nodiscard]] bool take(Time now);

 private:
  double per_second_;
  double allowed_;  // at this moment
  Time last_{};
};

}  // namespace convoy::net::internal
