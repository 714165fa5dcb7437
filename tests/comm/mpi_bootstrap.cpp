// SPDX-License-Identifier: Apache-2.0
#include "tests/comm/mpi_bootstrap.h"

#include <mpi.h>

#include <utility>

#include "comm/internal/transport_communicator.h"
#include "comm/mpi/internal/session.h"
#include "comm/mpi/internal/transport.h"
#include "tests/mpi_world.h"

namespace convoy::tests {

// A state of its own: that of the environment would leave MPI_Finalize out after a failure, and
// mpirun takes that for a crash.
std::unique_ptr<comm::Communicator> make_mpi_bootstrap(const comm::CommunicatorOptions& options) {
  static_cast<void>(mpi_world());
  auto transport =
      comm::mpi::make_transport(std::make_shared<comm::mpi::Environment::State>(), MPI_COMM_WORLD,
                                {.shared_memory = options.shared_memory});
  return std::make_unique<comm::internal::TransportCommunicator>(std::move(transport), options);
}

}  // namespace convoy::tests
