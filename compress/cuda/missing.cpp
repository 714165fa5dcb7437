// SPDX-License-Identifier: Apache-2.0
// Stands in for the kernels where the program is built without CUDA.
#include "compress/cuda/engine.h"
#include "compress/cuda/usable.h"

namespace convoy::compress::cuda {

bool is_built() { return false; }

std::string why_unusable() {
  return "convoy was built without CUDA: install the CUDA toolkit (nvcc 12.0 or newer) and "
         "configure with -DCONVOY_WITH_CUDA=ON";
}

std::unique_ptr<Engine> make_engine(Stream /*caller*/) { throw CudaError(why_unusable()); }

}  // namespace convoy::compress::cuda
