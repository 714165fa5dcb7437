// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "comm/communicator.h"
#include "launch/process/process.h"
#include "trainer/job.h"

namespace convoy::launch {

enum class Backend { kMpi, kLocal };

/// What communication.backend means here: "auto" is MPI where a launcher started us, else threads;
/// "nccl" is MPI with devices beside it.
/// `mpi_ranks`: how many processes the launcher starts; 1 without one.
/// @throws ConfigError for "local" in several processes, and for "nccl" where it was not built.
[[nodiscard]] Backend choose_backend(const trainer::CommunicationConfig& config, bool launched,
                                     int mpi_ranks);

/// Runs `body` on every rank of the job, on the backend that it asks for, with the threads of
/// [run] held. Under MPI each process calls it once; under "local" this process runs
/// communication.local_ranks threads. Under MPI a failing body ends all ranks; a
/// ConfigError that all ranks throw is thrown on.
void run_ranks(Process& process, const trainer::Job& job,
               const std::function<void(comm::Communicator&)>& body);

}  // namespace convoy::launch
