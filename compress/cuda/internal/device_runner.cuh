// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "compress/cuda/internal/kernel.h"
#include "compress/cuda/stream.h"
#include "compress/cuda/usable.h"

// The Runner (runner_steps.h) of real devices.

namespace convoy::compress::cuda {

inline void check(cudaError_t code, const char* call) {
  if (code == cudaSuccess) return;
  throw CudaError(std::string(call) + ": " + cudaGetErrorString(code));
}

template <typename Kernel, int... kIndex>
__device__ void run_phases(const Kernel& kernel, ThreadAt at, typename Kernel::Shared& shared,
                           std::integer_sequence<int, kIndex...>) {
  ((kernel(Phase<kIndex>{}, at, shared), kIndex + 1 < Kernel::kPhases ? __syncthreads() : void()),
   ...);
}

template <typename Kernel>
__global__ void run_kernel(Kernel kernel) {
  // As bytes: no constructor may run in shared memory.
  __shared__ alignas(
      alignof(typename Kernel::Shared)) unsigned char memory[sizeof(typename Kernel::Shared)];
  run_phases(kernel,
             ThreadAt{static_cast<std::int64_t>(blockIdx.x), static_cast<int>(threadIdx.x),
                      static_cast<int>(blockDim.x)},
             *reinterpret_cast<typename Kernel::Shared*>(memory),
             std::make_integer_sequence<int, Kernel::kPhases>());
}

/// Queues kernels on one stream.
class DeviceRunner {
 public:
  /// Grows, never shrinks; growing waits for the device.
  template <typename T>
  class Buffer {
   public:
    Buffer() = default;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { cudaFree(data_); }

    DeviceSpan<T> at_least(std::int64_t count) {
      if (count > capacity_) {
        check(cudaFree(std::exchange(data_, nullptr)), "cudaFree");
        capacity_ = 0;
        void* fresh = nullptr;
        check(cudaMalloc(&fresh, static_cast<std::size_t>(count) * sizeof(T)), "cudaMalloc");
        data_ = static_cast<T*>(fresh);
        capacity_ = count;
      }
      return {data_, count};
    }

   private:
    T* data_ = nullptr;
    std::int64_t capacity_ = 0;
  };

  explicit DeviceRunner(Stream stream) : stream_(static_cast<cudaStream_t>(stream)) {}

  template <typename Kernel>
  void launch(const Kernel& kernel, std::int64_t blocks, int threads) {
    static_assert(std::is_trivially_copyable_v<Kernel>);
    if (blocks == 0) return;
    if (blocks > std::numeric_limits<std::int32_t>::max()) {
      throw CudaError("a layer is too large for one kernel: " + std::to_string(blocks) + " blocks");
    }
    run_kernel<<<static_cast<unsigned>(blocks), static_cast<unsigned>(threads), 0, stream_>>>(
        kernel);
    check(cudaGetLastError(), "kernel launch");
  }

  template <typename T>
  void fill_zero(DeviceSpan<T> span) {
    if (span.size() == 0) return;
    check(
        cudaMemsetAsync(span.data(), 0, static_cast<std::size_t>(span.size()) * sizeof(T), stream_),
        "cudaMemsetAsync");
  }

  template <typename T>
  std::vector<std::remove_const_t<T>> to_host(DeviceSpan<T> span) {
    std::vector<std::remove_const_t<T>> values(static_cast<std::size_t>(span.size()));
    if (!values.empty()) {
      check(cudaMemcpyAsync(values.data(), span.data(), values.size() * sizeof(T),
                            cudaMemcpyDeviceToHost, stream_),
            "cudaMemcpyAsync");
    }
    check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
    return values;
  }

 private:
  cudaStream_t stream_;
};

}  // namespace convoy::compress::cuda
