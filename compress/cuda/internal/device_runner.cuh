// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "compress/cuda/internal/device_stream.cuh"
#include "compress/cuda/internal/kernel.h"
#include "compress/cuda/stream.h"
#include "compress/cuda/usable.h"

// The Runner (runner_steps.h) of real devices.

namespace convoy::compress::cuda {

/// The phases from kFrom on, with a barrier after each but the last of the kernel.
template <int kFrom, typename Kernel, int... kIndex>
__device__ void run_phases(const Kernel& kernel, ThreadAt at, typename Kernel::Shared& shared,
                           std::integer_sequence<int, kIndex...>) {
  ((kernel(Phase<kFrom + kIndex>{}, at, shared),
    kFrom + kIndex + 1 < Kernel::kPhases ? __syncthreads() : void()),
   ...);
}

template <typename Kernel>
__device__ void repeat_phases(const Kernel& kernel, ThreadAt at, typename Kernel::Shared& shared) {
  constexpr int kFrom = Kernel::kRepeatFrom;
  bool done = false;
  do {
    run_phases<kFrom>(kernel, at, shared,
                      std::make_integer_sequence<int, Kernel::kPhases - kFrom>());
    __syncthreads();
    done = kernel.done(shared);
    // Nobody writes again before all have asked.
    __syncthreads();
  } while (!done);
}

template <typename Kernel>
__global__ void run_kernel(Kernel kernel) {
  // As bytes: no constructor may run in shared memory.
  __shared__ alignas(
      alignof(typename Kernel::Shared)) unsigned char memory[sizeof(typename Kernel::Shared)];
  auto& shared = *reinterpret_cast<typename Kernel::Shared*>(memory);
  const ThreadAt at{static_cast<std::int64_t>(blockIdx.x), static_cast<int>(threadIdx.x),
                    static_cast<int>(blockDim.x)};
  run_phases<0>(kernel, at, shared,
                std::make_integer_sequence<int, phases_that_run_once<Kernel>()>());
  if constexpr (Repeats<Kernel>) repeat_phases(kernel, at, shared);
}

/// Queues kernels on a stream of its own, which its copies share.
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

  /// Of the current device; `caller` as in make_engine().
  explicit DeviceRunner(Stream caller)
      : stream_(std::make_shared<DeviceStream>(static_cast<cudaStream_t>(caller))) {}

  template <typename Kernel>
  void launch(const Kernel& kernel, std::int64_t blocks, int threads) {
    static_assert(std::is_trivially_copyable_v<Kernel>);
    if (blocks == 0) return;
    if (blocks > std::numeric_limits<std::int32_t>::max()) {
      throw CudaError("a layer is too large for one kernel: " + std::to_string(blocks) + " blocks");
    }
    run_kernel<<<static_cast<unsigned>(blocks), static_cast<unsigned>(threads), 0,
                 stream_->get()>>>(kernel);
    check(cudaGetLastError(), "kernel launch");
  }

  template <typename T>
  void fill_zero(DeviceSpan<T> span) {
    if (span.size() == 0) return;
    check(cudaMemsetAsync(span.data(), 0, static_cast<std::size_t>(span.size()) * sizeof(T),
                          stream_->get()),
          "cudaMemsetAsync");
  }

  template <typename T>
  std::vector<std::remove_const_t<T>> to_host(DeviceSpan<T> span) {
    std::vector<std::remove_const_t<T>> values(static_cast<std::size_t>(span.size()));
    stream_->copy(span.data(), values.data(), values.size() * sizeof(T), cudaMemcpyDeviceToHost);
    stream_->finish();
    return values;
  }

  [[nodiscard]] std::shared_ptr<std::byte> allocate(std::size_t bytes) {
    return DeviceStream::allocate(stream_, bytes);
  }
  void enter() const { stream_->enter(); }
  void copy_in(std::span<const std::byte> from, DeviceSpan<std::byte> to) {
    stream_->copy_in(from.data(), to.data(), from.size());
  }
  void copy_out(DeviceSpan<const std::byte> from, std::span<std::byte> to) {
    stream_->copy(from.data(), to.data(), to.size(), cudaMemcpyDeviceToHost);
    stream_->finish();
  }
  void copy(DeviceSpan<const std::byte> from, DeviceSpan<std::byte> to) {
    stream_->copy(from.data(), to.data(), static_cast<std::size_t>(to.size()),
                  cudaMemcpyDeviceToDevice);
  }
  void follow_caller() { stream_->follow_caller(); }
  void finish() { stream_->finish(); }
  [[nodiscard]] Stream stream() const { return stream_->get(); }

 private:
  std::shared_ptr<DeviceStream> stream_;
};

}  // namespace convoy::compress::cuda
