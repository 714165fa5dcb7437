// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "compress/reduce/make_reducer.h"
#include "trainer/job.h"
#include "trainer/optim/optimizer.h"
#include "trainer/parallel/data_parallel.h"

namespace convoy::trainer {

/// What [train] and [communication] say of averaging, but for updates one by one, which
/// Overlap::kNextForward needs.
[[nodiscard]] DataParallelOptions parallel_options(const Job& job);

/// The same with them. Borrows `optimizer`, over the parameters that
/// are averaged.
[[nodiscard]] DataParallelOptions parallel_options(const Job& job, Optimizer& optimizer);

/// What [compression] says. @param replay_plans  a plans.jsonl to follow; empty: none.
/// @param host  see RunRequest::host. @param executors  see Placement; not read where `host` is.
/// @throws ConfigError for a file that holds no plans.
[[nodiscard]] compress::ReducerFactory reducer_of(
    const Job& job, const std::filesystem::path& replay_plans = {},
    comm::Communicator* host = nullptr, compress::Executors executors = compress::host_executors());

}  // namespace convoy::trainer
