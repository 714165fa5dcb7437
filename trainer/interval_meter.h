// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "trainer/metrics/metrics.h"
#include "trainer/step_runner.h"

namespace convoy::trainer {

/// Adds steps up until a metrics line is due.
class IntervalMeter {
 public:
  /// @param bytes_before  what take() is told of bytes that belong to no interval from here on:
  /// those
  ///                      of the parts of the run before a resume.
  explicit IntervalMeter(std::uint64_t bytes_before = 0) : bytes_before_(bytes_before) {}

  void add(const StepResult& step);
  [[nodiscard]] std::int64_t steps() const { return steps_; }
  /// Sums over the steps added since the last take().
  [[nodiscard]] const StepSeconds& seconds() const { return seconds_; }
  /// Means of the steps added since the last call; starts anew. The caller fills in where in the
  /// run it is: step, epoch, seconds, learning rate.
  /// @param bytes_sent  by this rank since the run began.
  [[nodiscard]] IntervalMetrics take(std::uint64_t bytes_sent);

 private:
  std::int64_t steps_ = 0;
  std::int64_t samples_ = 0;
  std::int64_t skipped_ = 0;
  double loss_sum_ = 0.0;
  std::int64_t loss_samples_ = 0;
  StepSeconds seconds_;
  std::uint64_t bytes_before_;
};

}  // namespace convoy::trainer
