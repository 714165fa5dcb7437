// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comm/communicator.h"
#include "trainer/federated/federated_summary.h"
#include "trainer/job.h"
#include "trainer/run_request.h"

namespace convoy::trainer {

/// Everything in a federated job that can be refused before it starts. @param ranks  1: all clients
/// in this process; else one server and a rank for every client. @throws ConfigError, one line.
void check_federation(const Job& job, int ranks);
/// The same of a job whose clients and their data are elsewhere.
void check_federated_training(const Job& job);

/// Trains the job's federation. A communicator of one rank serves and trains all clients on threads
/// of this process; one of 1 + clients serves on rank 0, and rank r trains client r - 1. Rank 0
/// writes job.toml's companions into the run directory: summary.json, metrics.jsonl, events.jsonl,
/// scenario.json, partition.txt, model.pt. Collective.
/// @return on rank 0; the others return an empty summary.
/// @throws ConfigError, CommError, std::runtime_error.
[[nodiscard]] FederatedSummary federate(comm::Communicator& communicator, const Job& job,
                                        const RunRequest& request);

}  // namespace convoy::trainer
