// SPDX-License-Identifier: Apache-2.0
#include "comm/mpi/mpi.h"

#include <mpi.h>

#include <array>
#include <cstdlib>

#include "base/errors.h"
#include "comm/internal/transport_communicator.h"
#include "comm/mpi/internal/session.h"
#include "comm/mpi/internal/transport.h"

namespace convoy::comm::mpi {
namespace {

// @return the thread level. Leaves an MPI that runs already as it is.
int start_mpi(bool& started_here) {
  int flag = 0;
  check_mpi(MPI_Finalized(&flag), "MPI_Finalized");
  if (flag != 0) throw CommError("MPI was finalised before: it cannot start twice in one process");
  check_mpi(MPI_Initialized(&flag), "MPI_Initialized");
  int provided = MPI_THREAD_SINGLE;
  started_here = flag == 0;
  if (started_here) {
    check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided), "MPI_Init_thread");
    check_mpi(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN),
              "MPI_Comm_set_errhandler");
  } else {
    check_mpi(MPI_Query_thread(&provided), "MPI_Query_thread");
  }
  return provided;
}

}  // namespace

bool available() { return true; }

std::string version() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  check_mpi(MPI_Get_library_version(text.data(), &length), "MPI_Get_library_version");
  const std::string all(text.data(), static_cast<std::size_t>(length));
  return all.substr(0, all.find_first_of(",\n"));
}

Environment::Environment() : state_(std::make_shared<State>()) {
  const int level = start_mpi(state_->finalize);
  if (level < MPI_THREAD_SERIALIZED) {
    throw CommError("this MPI gives thread level " + std::to_string(level) +
                    ", MPI_THREAD_SERIALIZED is needed");
  }
  state_->serialized = level == MPI_THREAD_SERIALIZED;
}

Environment::~Environment() {
  if (state_->finalize && !state_->poisoned) MPI_Finalize();
}

int Environment::rank() const {
  const auto lock = state_->lock();
  int rank = 0;
  check_mpi(MPI_Comm_rank(MPI_COMM_WORLD, &rank), "MPI_Comm_rank");
  return rank;
}

int Environment::size() const {
  const auto lock = state_->lock();
  int size = 0;
  check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &size), "MPI_Comm_size");
  return size;
}

std::unique_ptr<Communicator> Environment::world(const CommunicatorOptions& options) {
  auto transport = [&] {
    const auto lock = state_->lock();
    return make_transport(state_, MPI_COMM_WORLD,
                          {.shared_memory = options.shared_memory, .timeout = options.timeout});
  }();
  return std::make_unique<internal::TransportCommunicator>(std::move(transport), options);
}

void Environment::stock_all_reduce(std::span<float> values) {
  const auto lock = state_->lock();
  check_mpi(MPI_Allreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), MPI_FLOAT,
                          MPI_SUM, MPI_COMM_WORLD),
            "MPI_Allreduce");
}

void Environment::abort(int exit_code) {
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::_Exit(exit_code);
}

}  // namespace convoy::comm::mpi
