// SPDX-License-Identifier: Apache-2.0
// Asks the driver, so that a program without CUDA knows too what is there.
#include <dlfcn.h>

#include <cstdlib>

#include "comm/nccl/nccl.h"
#include "compress/cuda/usable.h"
#include "launch/process/gpu_parts.h"
#include "launch/process/hardware.h"

namespace convoy::launch {
namespace {

/// The few functions of libcuda.so.1 that are needed; their results are codes, 0 for success.
class Driver {
 public:
  Driver() : library_(::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL)) {}
  // Never closed: the driver has threads of its own.
  [[nodiscard]] bool is_there() const { return library_ != nullptr; }

  /// The driver's error, or -1 where it has no such function.
  template <typename... Arguments>
  int call(const char* name, Arguments... arguments) const {
    auto* function = reinterpret_cast<int (*)(Arguments...)>(::dlsym(library_, name));
    return function == nullptr ? -1 : function(arguments...);
  }

  [[nodiscard]] std::string error_text(int code) const {
    const char* text = nullptr;
    if (call("cuGetErrorString", code, &text) != 0 || text == nullptr) text = "unknown error";
    return std::string(text) + " (" + std::to_string(code) + ")";
  }

 private:
  void* library_;
};

void ask_driver(GpuParts& found) {
  const Driver driver;
  if (!driver.is_there()) return;
  if (driver.call("cuDriverGetVersion", &found.driver) != 0) found.driver = 0;
  int code = driver.call("cuInit", 0U);
  if (code == 0) code = driver.call("cuDeviceGetCount", &found.devices);
  if (found.devices == 0) found.device_problem = driver.error_text(code);
}

}  // namespace

GpuParts find_gpu_parts() {
  GpuParts found;
  ask_driver(found);
  if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES")) found.visible_devices = visible;
  found.kernels = compress::cuda::is_built();
  const auto versions = comm::nccl::versions();
  found.runtime = versions.runtime;
  found.nccl = versions.nccl;
  if (!comm::nccl::built()) found.no_nccl = comm::nccl::missing();
  found.torch = torch_version();
  const TorchCuda torch = torch_cuda();
  found.torch_runtime = torch.runtime;
  found.torch_devices = torch.devices;
  return found;
}

}  // namespace convoy::launch
