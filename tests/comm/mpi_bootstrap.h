// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "comm/communicator.h"

namespace convoy::tests {

/// A communicator over all MPI ranks of a test program that convoy_add_test() made with RANKS.
/// After a failure in it MPI can still end. Collective.
[[nodiscard]] std::unique_ptr<comm::Communicator> make_mpi_bootstrap(
    const comm::CommunicatorOptions& options);

}  // namespace convoy::tests
