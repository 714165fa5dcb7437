// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "comm/communicator.h"

namespace convoy::comm::tcp {

/// False: this version has no TCP transport yet.
[[nodiscard]] bool available();
/// What is missing, in one line.
[[nodiscard]] std::string missing();
/// A communicator that moves bulk data between hosts over sockets; addresses are exchanged over
/// `bootstrap`. @throws ContractError with missing() where it is not available.
[[nodiscard]] std::unique_ptr<Communicator> make(Communicator& bootstrap);

}  // namespace convoy::comm::tcp
