// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "comm/communicator.h"

namespace convoy::tests {

/// What the shared tests run on; tests/comm/local_world.cpp and mpi_ranks.cpp bring one each.
using Body = std::function<void(comm::Communicator&)>;

/// The sizes that this backend is tested with: several as threads, one as MPI ranks.
[[nodiscard]] std::vector<int> world_sizes();
/// Runs `body` on every rank of a fresh world of one of those sizes.
void run_world(int ranks, const Body& body, const comm::CommunicatorOptions& options = {});

}  // namespace convoy::tests
