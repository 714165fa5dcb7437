// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.h"

namespace convoy::comm::nccl {

/// What the ranks must know of each other to share the devices.
struct DevicePlace {
  static constexpr std::int32_t kAny = -1;
  static constexpr std::int32_t kNone = -2;
  static constexpr std::int32_t kIfFree = -3;

  std::string host;
  std::string problem;         ///< why this rank can use no device at all; empty: it can
  std::int32_t devices = 0;    ///< that it sees
  std::uint64_t visible = 0;   ///< a hash that tells which: of their PCI addresses
  std::int32_t wanted = kAny;  ///< the one that the caller has chosen, or one of those above
};

[[nodiscard]] std::string host_name();
/// Of a rank that wants no device.
[[nodiscard]] DevicePlace place_without_device();
/// Everybody's, by rank. Long texts are cut. Collective. @throws CommError.
[[nodiscard]] std::vector<DevicePlace> exchange_places(Communicator& bootstrap,
                                                       const DevicePlace& own);
/// The device of `rank`: the chosen one, else one for each rank that sees the same devices of the
/// same host, in the order of ranks, first of those that must have one; kNone for one that wants
/// none, or one only if it is free. Pure; all ranks get the same exception.
/// @throws ConfigError that names the host, ranks and devices where they do not suffice.
[[nodiscard]] int choose_device(const std::vector<DevicePlace>& places, int rank);

}  // namespace convoy::comm::nccl
