// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include "trainer/metrics/metrics.h"

namespace convoy::trainer {

/// What a person sees on rank 0: on a terminal a bar that is redrawn in place with loss, samples/s
/// and time left; elsewhere a plain line for each interval. Never throws for a stream that is gone.
class Progress final : public MetricsSink {
 public:
  /// `total_steps` of the whole run, `first_step` where it begins (a resume). `stream` is borrowed.
  /// Time left is reckoned from the mean speed since this moment.
  Progress(std::int64_t total_steps, std::int64_t first_step, std::FILE* stream);
  /// Leaves the cursor on a fresh line.
  ~Progress() override;
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Redraws the bar if a tenth of a second has passed or `step` (steps done) is the last; nothing
  /// elsewhere. Cheap; every step.
  /// @param compression_ratio  shown unless it is 1.
  void step(std::int64_t step, double loss, double samples_per_second,
            double compression_ratio = 1.0);
  void interval(const IntervalMetrics& metrics) override;
  void evaluation(const EvaluationMetrics& metrics) override;

 private:
  using Clock = std::chrono::steady_clock;

  void draw(std::int64_t step, double loss, double samples_per_second, double compression_ratio);
  /// A line of its own, above the bar where there is one.
  void print_line(const std::string& line);
  [[nodiscard]] std::string time_left(std::int64_t step) const;

  std::int64_t total_steps_;
  std::int64_t first_step_;
  std::FILE* stream_;
  bool terminal_;
  bool drawn_ = false;  ///< the cursor stands behind a bar
  Clock::time_point start_;
  Clock::time_point last_draw_;
};

/// "0:07", "12:34", "1:02:03"; "?" for what is not finite or negative.
[[nodiscard]] std::string format_duration(double seconds);

}  // namespace convoy::trainer
