// SPDX-License-Identifier: Apache-2.0
// The shared tests through the staging view on the double: that the view copies as it should.
#include <chrono>

#include "comm/local/local.h"
#include "tests/comm/worlds.h"
#include "tests/gpu/own_device.h"
#include "tests/gpu/staging_view.h"
#include "tests/nccl_double/nccl_double.h"

namespace convoy::tests {

std::vector<int> world_sizes() { return {1, 3}; }

// The double looks at every address: host memory that reached NCCL would be counted.
void run_world(int ranks, const Body& body, const comm::CommunicatorOptions& options) {
  const NcclDouble cuda({.longest_delay = std::chrono::microseconds(100)});
  comm::local::run(
      ranks,
      [&](comm::Communicator& bootstrap) {
        take_own_device(bootstrap);
        body(*make_staging_nccl(bootstrap, {}, std::size_t{12} << 20));
      },
      options);
}

}  // namespace convoy::tests
