// SPDX-License-Identifier: Apache-2.0
#include "comm/nccl/internal/handles.h"

#include "comm/nccl/internal/check.h"

namespace convoy::comm::nccl {
namespace {

// cudaErrorNotReady is an answer and no error, but CUDA may keep it as the last error.
bool is_ready(cudaError_t result, const char* call) {
  if (result == cudaErrorNotReady) {
    static_cast<void>(cudaGetLastError());
    return false;
  }
  check_cuda(result, call);
  return true;
}

}  // namespace

void destroy_stream(cudaStream_t stream) noexcept {
  warn_cuda(cudaStreamDestroy(stream), "cudaStreamDestroy");
}

void destroy_event(cudaEvent_t event) noexcept {
  warn_cuda(cudaEventDestroy(event), "cudaEventDestroy");
}

void abort_communicator(ncclComm_t comm) noexcept {
  warn_nccl(ncclCommAbort(comm), "ncclCommAbort");
}

void free_device_memory(std::byte* memory) noexcept { warn_cuda(cudaFree(memory), "cudaFree"); }

void free_pinned_memory(std::byte* memory) noexcept {
  warn_cuda(cudaFreeHost(memory), "cudaFreeHost");
}

Stream make_stream() {
  cudaStream_t stream = nullptr;
  check_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking),
             "cudaStreamCreateWithFlags");
  return Stream(stream);
}

Event make_event() {
  cudaEvent_t event = nullptr;
  check_cuda(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreateWithFlags");
  return Event(event);
}

DeviceMemory make_device_memory(std::size_t bytes) {
  void* memory = nullptr;
  if (bytes > 0) check_cuda(cudaMalloc(&memory, bytes), "cudaMalloc");
  return DeviceMemory(static_cast<std::byte*>(memory));
}

PinnedMemory make_pinned_memory(std::size_t bytes) {
  void* memory = nullptr;
  if (bytes > 0) {
    check_cuda(cudaHostAlloc(&memory, bytes, cudaHostAllocDefault), "cudaHostAlloc");
  }
  return PinnedMemory(static_cast<std::byte*>(memory));
}

bool is_over(const Event& event) { return is_ready(cudaEventQuery(event.get()), "cudaEventQuery"); }

bool is_idle(const Stream& stream) {
  return is_ready(cudaStreamQuery(stream.get()), "cudaStreamQuery");
}

}  // namespace convoy::comm::nccl
