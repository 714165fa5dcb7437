// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "tests/comm/worlds.h"
#include "tests/mpi_world.h"

namespace convoy::tests {

// Asked for before MPI starts; tests/mpi_main.cpp checks that the world is as large.
std::vector<int> world_sizes() {
  const char* ranks = std::getenv("CONVOY_TEST_RANKS");
  return {ranks == nullptr ? 1 : std::atoi(ranks)};
}

void run_world(int /*ranks*/, const Body& body, const comm::CommunicatorOptions& options) {
  const auto world = mpi_world().world(options);
  body(*world);
}

}  // namespace convoy::tests
