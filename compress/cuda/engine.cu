// SPDX-License-Identifier: Apache-2.0
#include "compress/cuda/engine.h"
#include "compress/cuda/internal/device_codecs.cuh"
#include "compress/cuda/internal/device_runner.cuh"
#include "compress/cuda/internal/engine_on.h"

namespace convoy::compress::cuda {

std::unique_ptr<Engine> make_engine(Stream caller) {
  const std::string why = why_unusable();
  if (!why.empty()) throw CudaError(why);
  return std::make_unique<EngineOn<DeviceRunner>>(DeviceRunner(caller));
}

}  // namespace convoy::compress::cuda
