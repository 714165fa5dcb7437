// SPDX-License-Identifier: Apache-2.0
#include "comm/nccl/internal/device.h"

#include <cuda_runtime_api.h>

#include <array>
#include <span>

#include "base/hash.h"
#include "comm/nccl/internal/check.h"

namespace convoy::comm::nccl {
namespace {

std::uint64_t hash_of_visible(int devices) {
  std::string addresses;
  for (int device = 0; device < devices; ++device) {
    std::array<char, 32> address{};
    check_cuda(cudaDeviceGetPCIBusId(address.data(), static_cast<int>(address.size()), device),
               "cudaDeviceGetPCIBusId");
    addresses += std::string(address.data()) + " ";
  }
  return hash64(std::as_bytes(std::span(addresses)));
}

}  // namespace

DevicePlace own_place(const std::string& problem, int wanted) {
  DevicePlace place{.host = host_name(),
                    .problem = problem,
                    .wanted = wanted < 0 ? DevicePlace::kAny : wanted};
  if (!problem.empty()) return place;
  try {
    int devices = 0;
    check_cuda(cudaGetDeviceCount(&devices), "cudaGetDeviceCount");
    place.devices = devices;
    place.visible = hash_of_visible(devices);
  } catch (const internal::TransportError& error) {
    place.problem = error.what();  // the others wait for this rank's place: they must hear of it
  }
  return place;
}

DeviceGuard::DeviceGuard(int device) {
  int current = 0;
  check_cuda(cudaGetDevice(&current), "cudaGetDevice");
  if (current == device) return;
  check_cuda(cudaSetDevice(device), "cudaSetDevice");
  before_ = current;
}

DeviceGuard::~DeviceGuard() {
  if (before_ >= 0) warn_cuda(cudaSetDevice(before_), "cudaSetDevice");
}

}  // namespace convoy::comm::nccl
