// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/timeline.h"
#include "comm/communicator.h"
#include "trainer/metrics/layer_log.h"
#include "trainer/metrics/layer_times.h"
#include "trainer/metrics/metrics.h"
#include "trainer/metrics/phase_times.h"
#include "trainer/parallel/data_parallel.h"
#include "trainer/run_request.h"
#include "trainer/step_runner.h"
#include "trainer/trace_recorder.h"

namespace convoy::trainer {

/// Where the time of a run's steps goes: the trace that was asked for, and rank 0's layers. Watches
/// only the steps that somebody wants to know of; the others cost nothing. Borrows all it is given.
/// The same calls on all ranks.
class TimeWatch {
 public:
  /// Collective. @param steps  of this part of the run.
  TimeWatch(comm::Communicator& communicator, DataParallel& parallel, StepRunner& runner,
            const TraceRequest& trace, StepRange steps);
  /// Watches layers from the first step on. Rank 0. @throws std::runtime_error.
  void open_layers(const std::filesystem::path& file, std::int64_t resume_step);

  /// True where a trace begins or ends before this step: then switch_over() comes before it.
  [[nodiscard]] bool switches_before(std::int64_t step) const;
  /// Starts and stops watching. After DataParallel::drain(). Collective.
  void switch_over(std::int64_t step);
  /// When a step's averages are in and the Reducer is idle.
  void after_averaging();
  void after_step() { collect(); }
  /// An interval of `steps` steps is over; metrics.step of them are done. Writes layers.jsonl.
  void report(IntervalMetrics& metrics, std::int64_t steps);
  /// After DataParallel::drain(): writes the trace if that is still to be done. Collective.
  void finish();

 private:
  void watch(bool on);
  void collect();

  DataParallel& parallel_;
  StepRunner& runner_;
  Timeline timeline_;
  std::optional<TraceRecorder> trace_;
  bool tracing_ = false;
  // Of layers:
  std::unique_ptr<LayerLog> log_;
  std::vector<std::vector<std::string>> buckets_;
  std::map<std::string, double> bytes_;  // by layer
  WireShares shares_;                    // of these two
  int looks_left_ = 3;                   // buckets are cut anew after the first step
  LayerTimes layers_;                    // since the last report
  PhaseSeconds phases_{};
};

}  // namespace convoy::trainer
