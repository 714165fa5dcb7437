// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "comm/tcp/tcp.h"
#include "tests/comm/worlds.h"
#include "tests/mpi_world.h"

namespace convoy::tests {

std::vector<int> world_sizes() {
  const char* ranks = std::getenv("CONVOY_TEST_RANKS");
  return {ranks == nullptr ? 1 : std::atoi(ranks)};
}

// As the program does it: MPI brings the addresses, and nothing more.
void run_world(int /*ranks*/, const Body& body, const comm::CommunicatorOptions& options) {
  const auto world = mpi_world().world(options);
  body(*comm::tcp::make(*world));
}

}  // namespace convoy::tests
