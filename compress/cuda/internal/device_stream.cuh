// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>

#include "compress/cuda/usable.h"

namespace convoy::compress::cuda {

inline void check(cudaError_t code, const char* call) {
  if (code == cudaSuccess) return;
  throw CudaError(std::string(call) + ": " + cudaGetErrorString(code));
}

/// Gives a handle of the CUDA runtime back; at the end of a program that may fail, and does no
/// harm.
template <auto kRelease>
struct Release {
  template <typename T>
  void operator()(T* handle) const noexcept {
    static_cast<void>(kRelease(handle));
  }
};

/// A stream of the current device, and memory for it. Plain memory of cudaMalloc(), which a
/// CUDA-aware MPI can share between processes, as it cannot that of cudaMallocAsync(): whoever
/// takes it keeps it from step to step, as taking and giving back wait for the device.
class DeviceStream {
 public:
  /// @param caller  whom follow_caller() follows.
  explicit DeviceStream(cudaStream_t caller);

  [[nodiscard]] cudaStream_t get() const { return stream_.get(); }
  /// Makes its device the current one of this thread.
  void enter() const { check(cudaSetDevice(device_), "cudaSetDevice"); }
  void follow_caller();
  void finish();
  void copy(const void* from, void* to, std::size_t bytes, cudaMemcpyKind kind);
  /// Returns when `from`, in host memory, may be written again.
  void copy_in(const void* from, void* to, std::size_t bytes);
  /// The memory keeps `stream` alive. Null for no bytes.
  [[nodiscard]] static std::shared_ptr<std::byte> allocate(std::shared_ptr<DeviceStream> stream,
                                                           std::size_t bytes);

 private:
  using StreamHandle =
      std::unique_ptr<std::remove_pointer_t<cudaStream_t>, Release<cudaStreamDestroy>>;
  using EventHandle =
      std::unique_ptr<std::remove_pointer_t<cudaEvent_t>, Release<cudaEventDestroy>>;

  cudaStream_t caller_;
  int device_;
  bool reads_pageable_memory_ = false;  ///< without the driver's copy of it
  StreamHandle stream_;
  EventHandle caller_was_here_;
};

}  // namespace convoy::compress::cuda
