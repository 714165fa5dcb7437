// SPDX-License-Identifier: Apache-2.0
// Stands in for the kernels where the program is built without CUDA.
#include "compress/cuda/device_codec.h"
#include "compress/cuda/residual.h"
#include "compress/cuda/usable.h"

namespace convoy::compress::cuda {

bool is_built() { return false; }

std::string why_unusable() {
  return "convoy was built without CUDA: install the CUDA toolkit (nvcc 12.0 or newer) and "
         "configure with -DCONVOY_WITH_CUDA=ON";
}

std::unique_ptr<DeviceCodec> make_device_codec(QuantizeConfig /*config*/, Stream /*stream*/) {
  throw CudaError(why_unusable());
}

std::unique_ptr<DeviceCodec> make_device_codec(TopKConfig /*config*/, Stream /*stream*/) {
  throw CudaError(why_unusable());
}

void add_residual(DeviceSpan<const float> /*residual*/, DeviceSpan<const float> /*gradient*/,
                  DeviceSpan<float> /*owed*/, Stream /*stream*/) {
  throw CudaError(why_unusable());
}

void add_residual(DeviceSpan<const BFloat16> /*residual*/, DeviceSpan<const float> /*gradient*/,
                  DeviceSpan<float> /*owed*/, Stream /*stream*/) {
  throw CudaError(why_unusable());
}

void keep_residual(DeviceSpan<const float> /*owed*/, DeviceSpan<BFloat16> /*residual*/,
                   Stream /*stream*/) {
  throw CudaError(why_unusable());
}

}  // namespace convoy::compress::cuda
