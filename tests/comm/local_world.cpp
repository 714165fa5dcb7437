// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "comm/local/local.h"
#include "tests/comm/worlds.h"

namespace convoy::tests {

std::vector<int> world_sizes() { return {1, 2, 3, 5}; }

// Once with memory that the ranks share and once with messages: see CMakeLists.txt.
void run_world(int ranks, const Body& body, const comm::CommunicatorOptions& options) {
  auto chosen = options;
  if (std::getenv("CONVOY_TEST_MESSAGES_ONLY") != nullptr) chosen.shared_memory = false;
  comm::local::run(ranks, body, chosen);
}

}  // namespace convoy::tests
