// SPDX-License-Identifier: Apache-2.0
// Device memory of the double over real MPI: ranks 0, 2, ... are staged, and what moves is handed
// to MPI as if it took device memory, which the double's is for a CPU; the others have host memory.
#include <cstdlib>

#include "comm/nccl/staging.h"
#include "tests/comm/mpi_bootstrap.h"
#include "tests/comm/worlds.h"
#include "tests/nccl_double/device_view.h"
#include "tests/nccl_double/nccl_double.h"

namespace convoy::tests {

std::vector<int> world_sizes() {
  const char* ranks = std::getenv("CONVOY_TEST_RANKS");
  return {ranks == nullptr ? 1 : std::atoi(ranks)};
}

void run_world(int /*ranks*/, const Body& body, const comm::CommunicatorOptions& options) {
  const auto host = make_mpi_bootstrap(options);
  if (host->rank() % 2 == 1) return body(*host);
  NcclDouble cuda(
      {.all_memory_is_device = true, .longest_copy_delay = std::chrono::microseconds(300)});
  body(*as_device_memory(comm::nccl::stage(*host, {.device = 0, .direct = true})));
  // MPI cannot take messages back: what has failed keeps its memory.
  if (host->poisoned()) static_cast<void>(cuda.take_counters());
}

}  // namespace convoy::tests
