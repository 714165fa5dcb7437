// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>

#include "trainer/metrics/metrics.h"

namespace convoy::trainer {

/// What a person sees on rank 0: on a terminal a bar that is redrawn in place with loss, samples/s
/// and time left; elsewhere a plain line for each interval.
class Progress final : public MetricsSink {
 public:
  /// `total_steps` of the whole run, `first_step` where it begins (a resume). `stream` is borrowed.
  Progress(std::int64_t total_steps, std::int64_t first_step, std::FILE* stream);
  ~Progress() override;

  /// Redraws the bar if a tenth of a second has passed; nothing elsewhere. Cheap; every step.
  void step(std::int64_t step, double loss, double samples_per_second);
  void interval(const IntervalMetrics& metrics) override;
  void evaluation(const EvaluationMetrics& metrics) override;

 private:
  std::int64_t total_steps_;
  std::int64_t first_step_;
  std::FILE* stream_;
  bool terminal_;
  bool drawn_ = false;
  std::int64_t last_draw_ns_ = 0;
};

}  // namespace convoy::trainer
