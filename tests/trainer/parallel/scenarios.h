// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "comm/communicator.h"
#include "trainer/parallel/data_parallel.h"

// What DataParallel must do on every backend and number of ranks: run by thread ranks and by MPI.
namespace convoy::tests {

/// N ranks x batch 8 train like one rank x batch 8N: 20 SGD steps, 1e-5 per tensor.
void expect_training_like_one_rank(comm::Communicator& communicator);
/// Unequal batches, one of them empty: gradients are the float64 mean over all samples.
void expect_mean_over_samples(comm::Communicator& communicator);
/// Ranks with 1, 2, ... batches: nobody hangs, replicas stay equal, all samples count.
void expect_early_ends_to_be_survived(comm::Communicator& communicator);
/// Rank 0's parameters and buffers everywhere, whatever their type and strides.
void expect_start_from_rank_0(comm::Communicator& communicator);
/// Micro-batches of different sizes, and numbers, give the gradients of the whole batch.
void expect_exact_accumulation(comm::Communicator& communicator);

/// Hash of the parameters after a few steps on unequal batches: must depend on the number of ranks
/// only.
[[nodiscard]] std::uint64_t train_and_hash(comm::Communicator& communicator,
                                           const trainer::DataParallelOptions& options);

}  // namespace convoy::tests
