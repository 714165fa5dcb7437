// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compress/cuda/device_codec.h"
#include "compress/cuda/residual.h"
#include "compress/cuda/usable.h"

namespace convoy::compress::cuda {

inline void check_call(cudaError_t code, const char* call) {
  if (code != cudaSuccess) throw CudaError(std::string(call) + ": " + cudaGetErrorString(code));
}

/// As OnHost (tests/compress/cuda/on_host.h), on the current device and its default stream.
struct OnGpu {
  template <typename T>
  class Memory {
   public:
    explicit Memory(const std::vector<T>& values) : size_(values.size()) {
      if (size_ == 0) return;
      void* memory = nullptr;
      check_call(cudaMalloc(&memory, size_ * sizeof(T)), "cudaMalloc");
      data_.reset(static_cast<T*>(memory));
      check_call(cudaMemcpy(memory, values.data(), size_ * sizeof(T), cudaMemcpyHostToDevice),
                 "cudaMemcpy");
    }
    [[nodiscard]] DeviceSpan<T> span() { return {data_.get(), static_cast<std::int64_t>(size_)}; }
    [[nodiscard]] std::vector<T> to_host() const {
      std::vector<T> values(size_);
      if (size_ == 0) return values;
      check_call(cudaMemcpy(values.data(), data_.get(), size_ * sizeof(T), cudaMemcpyDeviceToHost),
                 "cudaMemcpy");
      return values;
    }

   private:
    struct Free {
      void operator()(T* data) const { static_cast<void>(cudaFree(data)); }
    };
    std::size_t size_;
    std::unique_ptr<T, Free> data_;
  };

  template <typename Config>
  static std::unique_ptr<DeviceCodec> make(Config config) {
    return make_device_codec(config, nullptr);
  }
  template <typename T>
  static void add_residual(DeviceSpan<const T> residual, DeviceSpan<const float> gradient,
                           DeviceSpan<float> owed) {
    cuda::add_residual(residual, gradient, owed, nullptr);
  }
  static void keep_residual(DeviceSpan<const float> owed, DeviceSpan<BFloat16> residual) {
    cuda::keep_residual(owed, residual, nullptr);
  }
};

using Devices = testing::Types<OnGpu>;

struct DeviceName {
  template <typename Device>
  static std::string GetName(int /*index*/) {
    return "Gpu";
  }
};

}  // namespace convoy::compress::cuda
