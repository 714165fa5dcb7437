// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>

#include "compress/cuda/usable.h"

namespace convoy::compress::cuda {

bool is_built() { return true; }

std::string why_unusable() {
  int driver = 0;
  cudaDriverGetVersion(&driver);
  if (driver == 0) return "no CUDA driver: install NVIDIA's (Debian: nvidia-driver, libcuda1)";
  int devices = 0;
  const cudaError_t code = cudaGetDeviceCount(&devices);
  if (code == cudaSuccess && devices > 0) return "";
  // Or the error would be found by the next kernel launch.
  cudaGetLastError();
  const std::string text = code == cudaSuccess ? "none is there" : cudaGetErrorString(code);
  return "no CUDA device: " + text + " (see nvidia-smi and CUDA_VISIBLE_DEVICES; driver for CUDA " +
         std::to_string(driver / 1000) + "." + std::to_string(driver % 1000 / 10) +
         ", built with " + std::to_string(CUDART_VERSION / 1000) + "." +
         std::to_string(CUDART_VERSION % 1000 / 10) + ")";
}

}  // namespace convoy::compress::cuda
