// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "tests/comm/mpi_bootstrap.h"
#include "tests/comm/worlds.h"

namespace convoy::tests {

// Asked for before MPI starts; tests/mpi_main.cpp checks that the world is as large.
std::vector<int> world_sizes() {
  const char* ranks = std::getenv("CONVOY_TEST_RANKS");
  return {ranks == nullptr ? 1 : std::atoi(ranks)};
}

void run_world(int /*ranks*/, const Body& body, const comm::CommunicatorOptions& options) {
  auto chosen = options;
  if (std::getenv("CONVOY_TEST_MESSAGES_ONLY") != nullptr) chosen.shared_memory = false;
  body(*make_mpi_bootstrap(chosen));
}

}  // namespace convoy::tests
