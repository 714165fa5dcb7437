// SPDX-License-Identifier: Apache-2.0
#include "compress/cuda/internal/device_runner.cuh"
#include "compress/cuda/internal/quantize_on.h"
#include "compress/cuda/internal/require_usable.h"

namespace convoy::compress::cuda {

std::unique_ptr<DeviceCodec> make_device_codec(QuantizeConfig config, Stream stream) {
  require_usable();
  return std::make_unique<QuantizeOn<DeviceRunner>>(config, DeviceRunner(stream));
}

}  // namespace convoy::compress::cuda
