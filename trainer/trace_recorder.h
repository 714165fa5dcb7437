// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/timeline.h"
#include "comm/communicator.h"
#include "trainer/clock_comparison.h"
#include "trainer/run_request.h"

namespace convoy::trainer {

/// Steps of a run, counted from 0: [begin, end).
struct StepRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// The steps that are traced in a run (or the part of one after a resume) of steps `run`: those
/// asked for, else 20 steps after the first 9, or the last 20 of a shorter run. Pure.
/// @throws ConfigError when the run has none of the steps that were asked for.
[[nodiscard]] StepRange traced_steps(const TraceRequest& request, StepRange run);

/// Keeps the spans of some steps of this rank and writes those of all ranks into one file.
/// Bounded: beyond half a million spans of all ranks together the rest is left out, and it says so.
class TraceRecorder {
 public:
  /// Compares clocks. Collective.
  TraceRecorder(comm::Communicator& communicator, std::filesystem::path file, StepRange steps);

  [[nodiscard]] const StepRange& steps() const { return steps_; }
  /// Keeps those that belong to the traced steps.
  void add(std::span<const Timeline::Span> spans);
  [[nodiscard]] bool is_written() const { return written_; }
  /// Compares clocks again and writes the file, whole or not at all; a failure is logged: training
  /// is worth more than its picture. Collective; once.
  void write();

 private:
  [[nodiscard]] ClockReading read_clock();
  [[nodiscard]] std::string own_events();

  comm::Communicator& communicator_;
  std::filesystem::path file_;
  StepRange steps_;
  bool one_clock_;
  ClockReading start_;
  std::int64_t origin_;  // nanoseconds on rank 0's clock
  std::vector<Timeline::Span> spans_;
  std::int64_t left_out_ = 0;
  bool written_ = false;
};

}  // namespace convoy::trainer
