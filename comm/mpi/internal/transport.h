// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mpi.h>

#include <chrono>
#include <cstddef>
#include <memory>

#include "comm/communicator.h"
#include "comm/internal/transport.h"
#include "comm/mpi/internal/session.h"

namespace convoy::comm::mpi {

struct TransportOptions {
  /// As CommunicatorOptions::shared_memory.
  bool shared_memory = true;
  /// Of setting up.
  std::chrono::milliseconds timeout = CommunicatorOptions{}.timeout;
  /// At most INT_MAX, which is how far MPI's counts go.
  std::size_t max_message_bytes = std::size_t{1} << 30;
};

/// Non-blocking MPI messages on duplicates of `comm`, one for collectives and one for send and
/// recv. Collective. @throws internal::TransportError when MPI fails or not all ranks have come in
/// time, and then MPI must not be finalised; ContractError where ranks differ in `shared_memory`.
[[nodiscard]] std::unique_ptr<internal::Transport> make_transport(
    std::shared_ptr<Environment::State> state, MPI_Comm comm, const TransportOptions& options = {});

}  // namespace convoy::comm::mpi
