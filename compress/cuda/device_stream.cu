// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <utility>

#include "compress/cuda/internal/device_stream.cuh"

namespace convoy::compress::cuda {
namespace {

int current_device() {
  int device = 0;
  check(cudaGetDevice(&device), "cudaGetDevice");
  return device;
}

bool has(cudaDeviceAttr attribute, int device) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, attribute, device), "cudaDeviceGetAttribute");
  return value != 0;
}

}  // namespace

DeviceStream::DeviceStream(cudaStream_t caller) : caller_(caller), device_(current_device()) {
  reads_pageable_memory_ = has(cudaDevAttrPageableMemoryAccess, device_);
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  stream_.reset(stream);
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreateWithFlags");
  caller_was_here_.reset(event);
}

void DeviceStream::follow_caller() {
  check(cudaEventRecord(caller_was_here_.get(), caller_), "cudaEventRecord");
  check(cudaStreamWaitEvent(get(), caller_was_here_.get(), 0), "cudaStreamWaitEvent");
}

void DeviceStream::finish() { check(cudaStreamSynchronize(get()), "cudaStreamSynchronize"); }

void DeviceStream::copy(const void* from, void* to, std::size_t bytes, cudaMemcpyKind kind) {
  if (bytes == 0) return;
  check(cudaMemcpyAsync(to, from, bytes, kind, get()), "cudaMemcpyAsync");
}

void DeviceStream::copy_in(const void* from, void* to, std::size_t bytes) {
  if (bytes == 0) return;
  copy(from, to, bytes, cudaMemcpyHostToDevice);
  cudaPointerAttributes attributes{};
  check(cudaPointerGetAttributes(&attributes, from), "cudaPointerGetAttributes");
  // The driver has taken its own copy of pageable memory, unless the device reads that itself.
  if (attributes.type != cudaMemoryTypeUnregistered || reads_pageable_memory_) finish();
}

std::shared_ptr<std::byte> DeviceStream::allocate(std::shared_ptr<DeviceStream> stream,
                                                  std::size_t bytes) {
  if (bytes == 0) return nullptr;
  void* memory = nullptr;
  check(cudaMalloc(&memory, bytes), "cudaMalloc");
  // Waits for all that is queued on the device.
  return {static_cast<std::byte*>(memory),
          [stream = std::move(stream)](std::byte* last) { static_cast<void>(cudaFree(last)); }};
}

}  // namespace convoy::compress::cuda
