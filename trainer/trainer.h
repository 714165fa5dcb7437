// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>

#include "comm/communicator.h"
#include "trainer/job.h"
#include "trainer/summary.h"

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

/// Everything in a job that can be refused before a rank starts: data and model files, sizes that
/// do not fit, `ranks` against the number of samples. @throws ConfigError, one line.
void check_job(const Job& job, int ranks);

/// Trains the job on all ranks of `communicator` and writes metrics, checkpoints, model.pt and
/// summary.json into the run directory. Collective; one call a rank. Returns the same on all ranks.
/// @throws ConfigError, CommError, std::runtime_error (non-finite loss under "stop", full disk).
[[nodiscard]] Summary train(comm::Communicator& communicator, const Job& job,
                            const RunRequest& request);

/// Loss and accuracy of the weights in `weights` (a run directory's model.pt) on the job's
/// evaluation part. Collective. @throws ConfigError.
[[nodiscard]] Evaluation evaluate(comm::Communicator& communicator, const Job& job,
                                  const std::filesystem::path& weights);

}  // namespace convoy::trainer
