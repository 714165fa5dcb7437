// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>

#include "comm/communicator.h"
#include "trainer/parallel/placement.h"

namespace convoy::trainer {

/// A picture of where the time of some steps goes, for chrome://tracing and ui.perfetto.dev.
struct TraceRequest {
  std::filesystem::path file;   ///< empty: none
  std::int64_t first_step = 0;  ///< counted from 1; 0: see traced_steps()
  std::int64_t last_step = 0;   ///< traced too
};

/// What a run is asked for beside its job.
struct RunRequest {
  std::filesystem::path run_dir;
  /// Go on from the newest checkpoint of run_dir, or from this one.
  bool resume = false;
  std::filesystem::path checkpoint;
  /// Set by a signal handler: stop at the next step that all ranks agree on, with a checkpoint.
  const std::atomic<bool>* stop = nullptr;
  bool quiet = false;  ///< no progress for people (--json)
  /// plans.jsonl of an earlier run to follow; empty: plan as the job says.
  std::filesystem::path replay_plans = {};
  TraceRequest trace = {};
  /// The ranks of this rank's host, in the order of all: what communication.hierarchical needs.
  /// nullptr: all ranks average with each other. Borrowed.
  comm::Communicator* host = nullptr;
  /// Where this rank trains. A device: `placement.memory` is what the communicator moves by itself.
  Placement placement = {};
  /// Called on rank 0 before the first step, when data, model and checkpoint have been found to
  /// fit: what a refused run must not write belongs here. May throw.
  std::function<void()> on_accepted = {};
};

}  // namespace convoy::trainer
