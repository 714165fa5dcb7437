// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "comm/internal/transport.h"
#include "comm/mpi/internal/session.h"

namespace convoy::comm::mpi {

/// Non-blocking MPI messages on `comm`, which it takes over, and on a duplicate for send and recv.
/// Collective. @param max_message_bytes  at most INT_MAX, which is how far MPI's counts go.
[[nodiscard]] std::unique_ptr<internal::Transport> make_transport(
    std::shared_ptr<Environment::State> state, CommHandle comm,
    std::size_t max_message_bytes = std::size_t{1} << 30);

}  // namespace convoy::comm::mpi
