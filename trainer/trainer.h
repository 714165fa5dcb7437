// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "comm/communicator.h"
#include "trainer/job.h"

namespace convoy::trainer {

/// How a run ended; D/summary.json.
struct Summary {
  double accuracy = 0.0;    ///< on the evaluation part; NaN for regression, written as null
  double loss = 0.0;        ///< on the evaluation part
  double train_loss = 0.0;  ///< of the last interval
  std::int64_t steps = 0;
  std::int64_t epochs = 0;
  std::int64_t samples = 0;  ///< trained on, all ranks
  double samples_per_second = 0.0;
  double seconds = 0.0;  ///< of training, evaluation left out; resumed parts added
  int ranks = 0;
  std::string parameters_hash;
  std::uint64_t bytes_sent = 0;  ///< all ranks
  std::int64_t skipped_steps = 0;
  bool interrupted = false;  ///< asked to stop before the last step; a checkpoint was written
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
/// evaluation part.
struct Evaluation {
  double loss = 0.0;
  double accuracy = 0.0;
  std::int64_t samples = 0;
};
[[nodiscard]] Evaluation evaluate(comm::Communicator& communicator, const Job& job,
                                  const std::filesystem::path& weights);

/// The fields of a summary as one JSON document.
[[nodiscard]] std::string to_json(const Summary& summary);

}  // namespace convoy::trainer
