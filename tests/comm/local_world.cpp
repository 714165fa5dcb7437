// SPDX-License-Identifier: Apache-2.0
#include "comm/local/local.h"
#include "tests/comm/worlds.h"

namespace convoy::tests {

std::vector<int> world_sizes() { return {1, 2, 3, 5}; }

void run_world(int ranks, const Body& body, const comm::CommunicatorOptions& options) {
  comm::local::run(ranks, body, options);
}

}  // namespace convoy::tests
