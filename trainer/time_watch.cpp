// SPDX-License-Identifier: Apache-2.0
#include "trainer/time_watch.h"

#include <algorithm>

namespace convoy::trainer {

TimeWatch::TimeWatch(comm::Communicator& communicator, DataParallel& parallel, StepRunner& runner,
                     const TraceRequest& trace, StepRange steps)
    : parallel_(parallel), runner_(runner) {
  if (!trace.file.empty()) trace_.emplace(communicator, trace.file, traced_steps(trace, steps));
}

void TimeWatch::open_layers(const std::filesystem::path& file, std::int64_t resume_step) {
  log_ = std::make_unique<LayerLog>(file, resume_step);
  watch(true);
}

void TimeWatch::watch(bool on) {
  Timeline* timeline = on ? &timeline_ : nullptr;
  parallel_.watch(timeline);
  runner_.watch(timeline);
}

bool TimeWatch::switches_before(std::int64_t step) const {
  if (!trace_ || trace_->is_written()) return false;
  return tracing_ ? step >= trace_->steps().end : step >= trace_->steps().begin;
}

void TimeWatch::switch_over(std::int64_t step) {
  collect();
  if (tracing_) return finish();
  tracing_ = step < trace_->steps().end;
  watch(true);
}

void TimeWatch::collect() {
  const auto spans = timeline_.take();
  if (spans.empty()) return;
  if (tracing_) trace_->add(spans);
  if (log_ == nullptr) return;
  add_layer_seconds(spans, shares_, layers_);
  const PhaseSeconds phases = phase_seconds(spans);
  for (std::size_t i = 0; i < phases.size(); ++i) phases_[i] += phases[i];
}

void TimeWatch::after_averaging() {
  if (log_ == nullptr || looks_left_ == 0) return;
  --looks_left_;
  buckets_ = parallel_.bucket_layout();
  for (const auto& [name, tensor] : parallel_.parameters()) {
    const compress::Layer layer{
        .name = name, .shape = tensor.sizes().vec(), .numel = tensor.numel()};
    bytes_[name] = parallel_.reducer().wire_bytes(layer);
  }
  shares_ = WireShares(buckets_, bytes_);
}

void TimeWatch::report(IntervalMetrics& metrics, std::int64_t steps) {
  if (log_ == nullptr) return;
  const auto mean_ms = [&](Phase phase) {
    return 1e3 * phases_[static_cast<std::size_t>(phase)] / static_cast<double>(steps);
  };
  metrics.communication = {.encode_ms = mean_ms(Phase::kEncode),
                           .wire_ms = mean_ms(Phase::kWire),
                           .decode_ms = mean_ms(Phase::kDecode)};
  log_->write(metrics.step, steps, buckets_, bytes_, layers_);
  layers_.clear();
  phases_ = {};
  looks_left_ = std::max(looks_left_, 1);
}

void TimeWatch::finish() {
  collect();
  if (!trace_ || trace_->is_written()) return;
  trace_->write();
  tracing_ = false;
  if (log_ == nullptr) watch(false);
}

}  // namespace convoy::trainer
