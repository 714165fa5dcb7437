// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <utility>

namespace convoy::net::internal {

/// How many lines about one thing, and about all things together, are logged in a minute: whoever
/// can cause a line may cause any number. Pure: is told the time. Not thread-safe.
class LogLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kMinute{60};

  explicit LogLimit(std::size_t most_each = 10, std::size_t most = 200)
      : most_each_(most_each), most_(most) {}

  /// Whether one more line about `what` is logged. Ask take_left_out() first.
  [[nodiscard]] bool admit(const std::string& what, Time now) {
    if (logged_ == 0 && left_out_ == 0) began_ = now;
    if (logged_ < most_ && each_[what] < most_each_) {
      ++each_[what];
      ++logged_;
      return true;
    }
    ++left_out_;
    return false;
  }

  /// How many lines were left out in a minute that is over, which is told once and ends it.
  [[nodiscard]] std::size_t take_left_out(Time now) {
    if (now - began_ < kMinute) return 0;
    logged_ = 0;
    each_.clear();
    return std::exchange(left_out_, 0);
  }

 private:
  std::size_t most_each_;
  std::size_t most_;
  std::map<std::string, std::size_t> each_;  // no larger than most_
  std::size_t logged_ = 0;
  std::size_t left_out_ = 0;
  Time began_{};
};

}  // namespace convoy::net::internal
