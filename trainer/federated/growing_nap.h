// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace convoy::trainer {

/// How a thread waits for messages that nobody wakes it for: in naps that grow with the time that
/// it has waited. It is late by a sixteenth of that time, and by `longest` at most; hundreds of
/// waiting ranks on one machine then leave the processors to those that work.
class GrowingNap {
 public:
  explicit GrowingNap(std::chrono::microseconds longest) : longest_(longest) {}

  /// Something has happened: naps are short again.
  void reset() { since_ = Clock::now(); }
  void take() const {
    const auto waited = std::chrono::floor<std::chrono::microseconds>(Clock::now() - since_);
    std::this_thread::sleep_for(std::clamp(waited / 16, kFirst, longest_));
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::microseconds kFirst{50};

  std::chrono::microseconds longest_;
  Clock::time_point since_ = Clock::now();
};

}  // namespace convoy::trainer
