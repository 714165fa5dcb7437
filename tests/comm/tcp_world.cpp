// SPDX-License-Identifier: Apache-2.0
#include "comm/local/local.h"
#include "comm/tcp/tcp.h"
#include "tests/comm/worlds.h"

namespace convoy::tests {

std::vector<int> world_sizes() { return {1, 2, 3, 5, 8}; }

// Ranks are threads, which exchange addresses as such and then talk over sockets.
void run_world(int ranks, const Body& body, const comm::CommunicatorOptions& options) {
  comm::local::run(
      ranks, [&](comm::Communicator& bootstrap) { body(*comm::tcp::make(bootstrap)); }, options);
}

}  // namespace convoy::tests
