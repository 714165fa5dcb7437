// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comm/communicator.h"
#include "trainer/parallel/placement.h"

namespace convoy::launch {

/// Where a rank of `communicator` trains: on its device where the backend is NCCL, else on the CPU.
/// @throws ConfigError where this LibTorch cannot use the device.
[[nodiscard]] trainer::Placement placement_of(const comm::Communicator& communicator);

}  // namespace convoy::launch
