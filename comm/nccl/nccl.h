// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "comm/communicator.h"

namespace convoy::comm::nccl {

/// False: this version has no NCCL backend yet.
[[nodiscard]] bool available();
/// What is missing, in one line.
[[nodiscard]] std::string missing();
/// A communicator that moves device memory by NCCL; its unique id is exchanged over
/// `bootstrap`. @throws ContractError with missing() where it is not available.
[[nodiscard]] std::unique_ptr<Communicator> make(Communicator& bootstrap);

}  // namespace convoy::comm::nccl
