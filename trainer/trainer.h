// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "comm/communicator.h"
#include "trainer/job.h"
#include "trainer/run_request.h"
#include "trainer/summary.h"

namespace convoy::trainer {

/// Everything in a job that can be refused before a rank starts: data and model files, sizes that
/// do not fit, `ranks` against the number of samples. @throws ConfigError, one line.
void check_job(const Job& job, int ranks);

/// Creates the folder of a run, with its parents. Local. @throws ConfigError where it cannot.
void make_run_dir(const std::filesystem::path& folder);

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
