// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>

#include "comm/buffer.h"

namespace convoy::trainer {

/// Where the tensors of a rank live: LibTorch's name of the place, with its number, and what
/// communicators call such memory.
struct Placement {
  c10::Device device = c10::DeviceType::CPU;
  comm::Device memory = comm::Device::kHost;
};

}  // namespace convoy::trainer
