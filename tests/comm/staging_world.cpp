// SPDX-License-Identifier: Apache-2.0
// Device memory of the double, staged over ranks as threads. Runs of the same tests: with
// CONVOY_TEST_MESSAGES_ONLY sums travel in messages; with CONVOY_TEST_MIXED every other rank has
// its values in host memory; with CONVOY_TEST_SLOW_COPIES copies take their time; with
// CONVOY_TEST_DIRECT the host takes device memory for its own.
#include <cstdlib>

#include "comm/local/local.h"
#include "comm/nccl/staging.h"
#include "tests/comm/worlds.h"
#include "tests/nccl_double/device_view.h"
#include "tests/nccl_double/nccl_double.h"

namespace convoy::tests {
namespace {

bool is_set(const char* variable) { return std::getenv(variable) != nullptr; }

NcclSwitches switches() {
  NcclSwitches chosen{.all_memory_is_device = true};
  if (is_set("CONVOY_TEST_SLOW_COPIES")) chosen.longest_copy_delay = std::chrono::microseconds(500);
  return chosen;
}

}  // namespace

std::vector<int> world_sizes() { return {1, 2, 3, 4}; }

void run_world(int ranks, const Body& body, const comm::CommunicatorOptions& options) {
  const NcclDouble cuda(switches());
  auto chosen = options;
  if (is_set("CONVOY_TEST_MESSAGES_ONLY")) chosen.shared_memory = false;
  comm::local::run(
      ranks,
      [&](comm::Communicator& host) {
        if (is_set("CONVOY_TEST_MIXED") && host.rank() % 2 == 1) return body(host);
        body(*as_device_memory(comm::nccl::stage(
            host, {.device = host.rank(), .direct = is_set("CONVOY_TEST_DIRECT")})));
      },
      chosen);
}

}  // namespace convoy::tests
