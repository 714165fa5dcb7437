// SPDX-License-Identifier: Apache-2.0
// The shared tests on the real NCCL: MPI ranks with a device each.
#include <cstdlib>

#include "tests/comm/mpi_bootstrap.h"
#include "tests/comm/worlds.h"
#include "tests/gpu/own_device.h"
#include "tests/gpu/staging_view.h"

namespace convoy::tests {

std::vector<int> world_sizes() {
  const char* ranks = std::getenv("CONVOY_TEST_RANKS");
  return {ranks == nullptr ? 1 : std::atoi(ranks)};
}

void run_world(int /*ranks*/, const Body& body, const comm::CommunicatorOptions& options) {
  constexpr std::size_t kBytes = std::size_t{128} << 20;
  const auto bootstrap = make_mpi_bootstrap(options);
  take_own_device(*bootstrap);
  const bool check_calls = std::getenv("CONVOY_TEST_CHECK_CALLS") != nullptr;
  body(*make_staging_nccl(*bootstrap, {.check_calls = check_calls}, kBytes));
}

}  // namespace convoy::tests
