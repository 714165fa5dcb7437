// SPDX-License-Identifier: Apache-2.0
// NCCL on the double. Three runs of the same tests: as programs use it; with CONVOY_TEST_SLOW_NCCL
// also with delays and with an NCCL that takes its time to take calls; with CONVOY_TEST_CHECK_CALLS
// also with checked calls, which LastCalls needs.
#include <cstdlib>

#include "comm/local/local.h"
#include "comm/nccl/nccl.h"
#include "tests/comm/worlds.h"
#include "tests/nccl_double/device_view.h"
#include "tests/nccl_double/nccl_double.h"

namespace convoy::tests {
namespace {

bool is_set(const char* variable) { return std::getenv(variable) != nullptr; }

NcclSwitches switches() {
  NcclSwitches chosen{.all_memory_is_device = true};
  if (is_set("CONVOY_TEST_SLOW_NCCL")) {
    chosen.longest_delay = std::chrono::microseconds(300);
    chosen.slow_launches = 3;
  }
  return chosen;
}

}  // namespace

std::vector<int> world_sizes() { return {1, 2, 3, 5}; }

// Ranks are threads with a device each; whatever a test does, nothing may be left at its end.
void run_world(int ranks, const Body& body, const comm::CommunicatorOptions& options) {
  const NcclDouble cuda(switches());
  const comm::nccl::Options chosen{.check_calls = is_set("CONVOY_TEST_CHECK_CALLS")};
  comm::local::run(
      ranks,
      [&](comm::Communicator& bootstrap) {
        body(*as_device_memory(comm::nccl::make(bootstrap, chosen)));
      },
      options);
}

}  // namespace convoy::tests
