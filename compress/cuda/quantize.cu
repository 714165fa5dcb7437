// SPDX-License-Identifier: Apache-2.0
#include "compress/cuda/internal/device_codecs.cuh"
#include "compress/cuda/internal/quantize_on.h"

namespace convoy::compress::cuda {

std::unique_ptr<DeviceCodec> make_codec_on(const DeviceRunner& runner, QuantizeConfig config) {
  return std::make_unique<QuantizeOn<DeviceRunner>>(config, runner);
}

}  // namespace convoy::compress::cuda
