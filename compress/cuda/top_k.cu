// SPDX-License-Identifier: Apache-2.0
#include "compress/cuda/internal/device_codecs.cuh"
#include "compress/cuda/internal/top_k_on.h"

namespace convoy::compress::cuda {

std::unique_ptr<DeviceCodec> make_codec_on(const DeviceRunner& runner, TopKConfig config) {
  return std::make_unique<TopKOn<DeviceRunner>>(config, runner);
}

}  // namespace convoy::compress::cuda
