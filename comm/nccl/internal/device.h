// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "comm/nccl/internal/device_places.h"

namespace convoy::comm::nccl {

/// Of this process. @param problem  of missing().
[[nodiscard]] DevicePlace own_place(const std::string& problem, int wanted);
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
