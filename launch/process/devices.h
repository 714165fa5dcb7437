// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "comm/communicator.h"
#include "trainer/job.h"
#include "trainer/parallel/placement.h"

namespace convoy::launch {

/// What a rank trains on its GPU with.
struct DeviceRank {
  trainer::Placement placement;
  /// For the host's memory and the device's: by NCCL, or staged over the communicator for hosts,
  /// which it borrows.
  std::unique_ptr<comm::Communicator> communicator;
};

/// Whether a job wants any.
[[nodiscard]] bool asks_for_devices(const trainer::Job& job);

/// Gives ranks the devices that run.device and communication.backend ask for; the device becomes
/// the current one of this thread. Collective over all ranks of the job.
/// @return nothing for a rank that trains on its CPU.
/// @throws ConfigError on all ranks where one lacks something: it names the rank, what it lacks and
///         what to install. CommError.
[[nodiscard]] std::optional<DeviceRank> connect_device(comm::Communicator& host,
                                                       const trainer::Job& job);

}  // namespace convoy::launch
