// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>

#include "comm/buffer.h"
#include "compress/reduce/host_executor.h"

namespace convoy::trainer {

/// Where the tensors of a rank live: LibTorch's name of the place, with its number, and what
/// communicators call such memory.
struct Placement {
  c10::Device device = c10::DeviceType::CPU;
  comm::Device memory = comm::Device::kHost;
  /// Who computes on compressed gradients. Of the host: they are copied there and back.
  compress::Executors executors = compress::host_executors();
};

}  // namespace convoy::trainer
