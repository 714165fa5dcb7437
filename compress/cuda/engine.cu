// SPDX-License-Identifier: Apache-2.0
#include "compress/cuda/engine.h"
#include "compress/cuda/internal/device_codecs.cuh"
#include "compress/cuda/internal/device_runner.cuh"
#include "compress/cuda/internal/engine_on.h"

namespace convoy::compress::cuda {

std::unique_ptr<Engine> make_engine(Stream caller) {
  const std::string why = why_unusable();
  if (!why.empty()) throw CudaError(why);
  // A device older than those that there is code for is found out here, and not by a step.
  cudaFuncAttributes attributes{};
  check(cudaFuncGetAttributes(&attributes, run_kernel<Add>),
        "this GPU cannot run the kernels: cudaFuncGetAttributes");
  return std::make_unique<EngineOn<DeviceRunner>>(DeviceRunner(caller));
}

}  // namespace convoy::compress::cuda
