// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>

namespace convoy::trainer {

/// What a run is asked for beside its job.
struct RunRequest {
  std::filesystem::path run_dir;
  /// Go on from the newest checkpoint of run_dir, or from this one.
  bool resume = false;
  std::filesystem::path checkpoint;
  /// Set by a signal handler: stop at the next step that all ranks agree on, with a checkpoint.
  const std::atomic<bool>* stop = nullptr;
  bool quiet = false;  ///< no progress for people (--json)
};

}  // namespace convoy::trainer
