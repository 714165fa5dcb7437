// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comm/communicator.h"

namespace convoy::tests {

/// The device that the NCCL backend gives this rank; it becomes the current one of this thread.
/// Collective. @throws ConfigError as comm::nccl::make().
int take_own_device(comm::Communicator& bootstrap);

}  // namespace convoy::tests
