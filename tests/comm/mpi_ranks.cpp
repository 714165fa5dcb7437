// SPDX-License-Identifier: Apache-2.0
#include <mpi.h>

#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "comm/internal/transport_communicator.h"
#include "comm/mpi/internal/session.h"
#include "comm/mpi/internal/transport.h"
#include "tests/comm/worlds.h"
#include "tests/mpi_world.h"

namespace convoy::tests {

// Asked for before MPI starts; tests/mpi_main.cpp checks that the world is as large.
std::vector<int> world_sizes() {
  const char* ranks = std::getenv("CONVOY_TEST_RANKS");
  return {ranks == nullptr ? 1 : std::atoi(ranks)};
}

// A state of its own: that of the environment would leave MPI_Finalize out after a failure, and
// mpirun takes that for a crash.
void run_world(int /*ranks*/, const Body& body, const comm::CommunicatorOptions& options) {
  auto chosen = options;
  if (std::getenv("CONVOY_TEST_MESSAGES_ONLY") != nullptr) chosen.shared_memory = false;
  static_cast<void>(mpi_world());
  auto transport =
      comm::mpi::make_transport(std::make_shared<comm::mpi::Environment::State>(), MPI_COMM_WORLD,
                                {.shared_memory = chosen.shared_memory});
  comm::internal::TransportCommunicator world(std::move(transport), chosen);
  body(world);
}

}  // namespace convoy::tests
