// SPDX-License-Identifier: Apache-2.0
#include "base/errors.h"
#include "comm/tcp/tcp.h"

namespace convoy::comm::tcp {

bool available() { return false; }

std::string missing() {
  return "this version of convoy has no TCP transport: use backend mpi or local";
}

std::unique_ptr<Communicator> make(Communicator& /*bootstrap*/) { throw ContractError(missing()); }

}  // namespace convoy::comm::tcp
