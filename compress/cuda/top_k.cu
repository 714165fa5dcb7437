// SPDX-License-Identifier: Apache-2.0
#include "compress/cuda/internal/device_runner.cuh"
#include "compress/cuda/internal/require_usable.h"
#include "compress/cuda/internal/top_k_on.h"

namespace convoy::compress::cuda {

std::unique_ptr<DeviceCodec> make_device_codec(TopKConfig config, Stream stream) {
  require_usable();
  return std::make_unique<TopKOn<DeviceRunner>>(config, DeviceRunner(stream));
}

}  // namespace convoy::compress::cuda
