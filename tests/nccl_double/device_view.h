// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "comm/communicator.h"

namespace convoy::tests {

/// A communicator whose callers give host memory, and which hands it on as device memory: what the
/// tests of host backends need to run on NCCL, with NcclSwitches::all_memory_is_device.
[[nodiscard]] std::unique_ptr<comm::Communicator> as_device_memory(
    std::unique_ptr<comm::Communicator> communicator);

}  // namespace convoy::tests
