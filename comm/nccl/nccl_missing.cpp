// SPDX-License-Identifier: Apache-2.0
// What convoy says where it was built without NCCL. CMake says why.
#include "base/errors.h"
#include "comm/nccl/nccl.h"

namespace convoy::comm::nccl {

bool built() { return false; }

bool available() { return false; }

std::string missing() { return "convoy was built without NCCL: " CONVOY_NCCL_MISSING; }

Versions versions() { return {}; }

std::string version() { return missing(); }

std::unique_ptr<Communicator> make(Communicator& /*bootstrap*/, const Options& /*options*/) {
  throw ContractError(missing());
}

int device_of(const Communicator& /*communicator*/) { throw ContractError(missing()); }

}  // namespace convoy::comm::nccl
