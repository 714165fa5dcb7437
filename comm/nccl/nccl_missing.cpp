// SPDX-License-Identifier: Apache-2.0
#include "base/errors.h"
#include "comm/nccl/nccl.h"

namespace convoy::comm::nccl {

bool available() { return false; }

std::string missing() {
  return "this version of convoy has no NCCL backend: use backend mpi or local";
}

std::unique_ptr<Communicator> make(Communicator& /*bootstrap*/) { throw ContractError(missing()); }

}  // namespace convoy::comm::nccl
