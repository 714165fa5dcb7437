// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "base/errors.h"
#include "comm/communicator.h"
#include "launch/process/process.h"
#include "trainer/job.h"

namespace convoy::launch {

/// Bad input that all ranks have agreed on: each can end by itself.
class AgreedConfigError : public ConfigError {
  using ConfigError::ConfigError;
};

enum class Backend { kMpi, kLocal };

/// What communication.backend means here: "auto" is MPI where a launcher started us, else threads.
/// `mpi_ranks`: how many processes the launcher starts; 1 without one.
/// @throws ConfigError for "local" in several processes.
[[nodiscard]] Backend choose_backend(const trainer::CommunicationConfig& config, bool launched,
                                     int mpi_ranks);

/// Runs `body` on every rank of the job, on the backend that it asks for, with the threads of
/// [run] held. Under MPI each process calls it once; under "local" this process runs
/// communication.local_ranks threads. Under MPI a failing body ends all ranks, unless all fail
/// alike (AgreedConfigError).
void run_ranks(Process& process, const trainer::Job& job,
               const std::function<void(comm::Communicator&)>& body);

/// Runs `check` on every rank of a job; where some refuse, all throw. Collective.
/// @throws AgreedConfigError with the text of the lowest rank that refuses.
void agree_to(comm::Communicator& communicator, const std::function<void()>& check);

}  // namespace convoy::launch
