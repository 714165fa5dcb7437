// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.h"

namespace convoy::comm::nccl {

/// What the ranks must know of each other to share the devices.
struct DevicePlace {
  std::string host;
  std::string problem;        ///< why this rank can use no device at all; empty: it can
  std::int32_t devices = 0;   ///< that it sees
  std::uint64_t visible = 0;  ///< a hash that tells which: of their PCI addresses
  std::int32_t wanted = -1;   ///< the one that the caller has chosen; -1: none
};

/// Of this process. @param problem  of missing().
[[nodiscard]] DevicePlace own_place(const std::string& problem, int wanted);
/// Everybody's, by rank. Long texts are cut. Collective. @throws CommError.
[[nodiscard]] std::vector<DevicePlace> exchange_places(Communicator& bootstrap,
                                                       const DevicePlace& own);
/// The device of `rank`: the chosen one, else one for each rank that sees the same devices of the
/// same host, in the order of ranks. Pure; all ranks get the same exception.
/// @throws ConfigError that names the host, ranks and devices where they do not suffice.
[[nodiscard]] int choose_device(const std::vector<DevicePlace>& places, int rank);

/// Makes a device the current one of this thread for as long as it lives: any thread may call a
/// communicator, and CUDA keeps a current device for each.
class DeviceGuard {
 public:
  explicit DeviceGuard(int device);
  ~DeviceGuard();
  DeviceGuard(const DeviceGuard&) = delete;
  DeviceGuard& operator=(const DeviceGuard&) = delete;

 private:
  int before_ = -1;  // -1: it was that one
};

}  // namespace convoy::comm::nccl
