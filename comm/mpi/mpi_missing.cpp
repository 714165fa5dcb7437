// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "base/errors.h"
#include "comm/mpi/mpi.h"

namespace convoy::comm::mpi {
namespace {

constexpr const char* kMissing = "convoy was built without MPI (CONVOY_WITH_MPI=OFF)";

}  // namespace

bool available() { return false; }

std::string version() { return kMissing; }

CudaSupport cuda_support() { return {false, kMissing}; }

struct Environment::State {};

Environment::Environment() { throw ContractError(kMissing); }

Environment::~Environment() = default;

int Environment::rank() const { return 0; }

int Environment::size() const { return 1; }

std::unique_ptr<Communicator> Environment::world(const CommunicatorOptions& /*options*/) {
  throw ContractError(kMissing);
}

void Environment::stock_all_reduce(std::span<float> /*values*/) { throw ContractError(kMissing); }

void Environment::abort(int exit_code) { std::_Exit(exit_code); }

}  // namespace convoy::comm::mpi
