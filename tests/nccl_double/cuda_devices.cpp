// SPDX-License-Identifier: Apache-2.0
// The double's devices and their memory.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/nccl_double/state.h"

using namespace convoy::tests::nccl_double;

namespace {

constexpr std::size_t kAlignment = 256;
constexpr int kGivenBack = 0xdd;  // what memory holds that was given back

cudaError_t allocate(void** memory, std::size_t bytes, bool pinned) {
  State& all = state();
  const std::lock_guard lock(all.mutex);
  const std::size_t whole = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  *memory = std::aligned_alloc(kAlignment, whole);
  if (*memory == nullptr) return cudaErrorMemoryAllocation;
  all.blocks[static_cast<std::byte*>(*memory)] = {.bytes = bytes, .pinned = pinned};
  ++(pinned ? all.counters.pinned_blocks : all.counters.device_blocks);
  return cudaSuccess;
}

cudaError_t give_back(void* memory, bool pinned) {
  if (memory == nullptr) return cudaSuccess;
  State& all = state();
  const std::lock_guard lock(all.mutex);
  const auto found = all.blocks.find(static_cast<std::byte*>(memory));
  if (found == all.blocks.end() || found->second.pinned != pinned || !found->second.alive) {
    ++all.counters.double_frees;
    return cudaErrorInvalidValue;
  }
  found->second.alive = false;
  std::memset(memory, kGivenBack, found->second.bytes);
  --(pinned ? all.counters.pinned_blocks : all.counters.device_blocks);
  ++(pinned ? all.counters.pinned_frees : all.counters.device_frees);
  return cudaSuccess;
}

}  // namespace

extern "C" {

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorNoDevice:
      return "no CUDA-capable device is detected";
    case cudaErrorInvalidResourceHandle:
      return "invalid resource handle";
    case cudaErrorInsufficientDriver:
      return "CUDA driver version is insufficient for CUDA runtime version";
    default:
      return "an error of the double";
  }
}

cudaError_t cudaGetLastError() { return cudaSuccess; }

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  const std::lock_guard lock(state().mutex);
  *version = state().switches.driver;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
  const std::lock_guard lock(state().mutex);
  const auto& switches = state().switches;
  if (switches.device_error != cudaSuccess) return switches.device_error;
  *count = switches.devices;
  return *count > 0 ? cudaSuccess : cudaErrorNoDevice;
}

cudaError_t cudaGetDevice(int* device) {
  *device = current_device();
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  const std::lock_guard lock(state().mutex);
  if (device < 0 || device >= state().switches.devices) return cudaErrorInvalidDevice;
  current_device() = device;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetPCIBusId(char* address, int length, int device) {
  std::snprintf(address, static_cast<std::size_t>(length), "0000:%02x:00.0", device);
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** memory, std::size_t bytes) { return allocate(memory, bytes, false); }

cudaError_t cudaFree(void* memory) { return give_back(memory, false); }

cudaError_t cudaHostAlloc(void** memory, std::size_t bytes, unsigned int /*flags*/) {
  return allocate(memory, bytes, true);
}

cudaError_t cudaFreeHost(void* memory) { return give_back(memory, true); }

}  // extern "C"
