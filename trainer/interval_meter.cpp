// SPDX-License-Identifier: Apache-2.0
#include "trainer/interval_meter.h"

#include <algorithm>

namespace convoy::trainer {

void IntervalMeter::add(const StepResult& step) {
  ++steps_;
  samples_ += step.samples;
  seconds_.data += step.seconds.data;
  seconds_.forward += step.seconds.forward;
  seconds_.backward += step.seconds.backward;
  seconds_.exposed += step.seconds.exposed;
  seconds_.optimizer += step.seconds.optimizer;
  if (step.skipped) {
    ++skipped_;
    return;
  }
  loss_sum_ += step.loss_sum;
  loss_samples_ += step.samples;
}

IntervalMetrics IntervalMeter::take(std::uint64_t bytes_sent) {
  const double steps = static_cast<double>(std::max<std::int64_t>(steps_, 1));
  const auto mean_ms = [steps](double seconds) { return 1e3 * seconds / steps; };
  IntervalMetrics metrics;
  metrics.loss = loss_sum_ / static_cast<double>(std::max<std::int64_t>(loss_samples_, 1));
  metrics.samples_per_second =
      seconds_.total() > 0 ? static_cast<double>(samples_) / seconds_.total() : 0.0;
  metrics.step_ms = mean_ms(seconds_.total());
  metrics.data_ms = mean_ms(seconds_.data);
  metrics.forward_ms = mean_ms(seconds_.forward);
  metrics.backward_ms = mean_ms(seconds_.backward);
  metrics.exposed_communication_ms = mean_ms(seconds_.exposed);
  metrics.optimizer_ms = mean_ms(seconds_.optimizer);
  metrics.bytes_sent = bytes_sent - bytes_before_;
  metrics.skipped_steps = skipped_;
  *this = IntervalMeter(bytes_sent);
  return metrics;
}

}  // namespace convoy::trainer
