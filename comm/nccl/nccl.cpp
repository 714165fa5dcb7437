// SPDX-License-Identifier: Apache-2.0
#include "comm/nccl/nccl.h"

#include <cuda_runtime_api.h>
#include <nccl.h>
#include <spdlog/fmt/fmt.h>

#include <cstdlib>

#include "base/errors.h"
#include "comm/nccl/internal/check.h"
#include "comm/nccl/internal/device.h"
#include "comm/nccl/internal/nccl_communicator.h"
#include "comm/nccl/internal/staging_communicator.h"
#include "comm/values.h"

static_assert(NCCL_VERSION_CODE >= NCCL_VERSION(2, 14, 0), "non-blocking communicators are newer");

namespace convoy::comm::nccl {
namespace {

std::string why_no_device(cudaError_t result) {
  const char* chosen = std::getenv("CUDA_VISIBLE_DEVICES");
  if (result == cudaErrorNoDevice || result == cudaSuccess) {
    return chosen == nullptr
               ? "a CUDA driver is installed, but it finds no device"
               : fmt::format("no CUDA device is visible (CUDA_VISIBLE_DEVICES=\"{}\")", chosen);
  }
  return fmt::format("CUDA devices cannot be used: {} ({})", cudaGetErrorString(result),
                     static_cast<int>(result));
}

}  // namespace

bool built() { return true; }

Versions versions() {
  Versions found;
  static_cast<void>(cudaRuntimeGetVersion(&found.runtime));
  static_cast<void>(cudaDriverGetVersion(&found.driver));
  static_cast<void>(ncclGetVersion(&found.nccl));
  static_cast<void>(cudaGetLastError());
  return found;
}

bool available() { return missing().empty(); }

std::string missing() {
  const Versions found = versions();
  if (found.nccl == 0) return "NCCL does not load: install libnccl2";
  if (found.runtime == 0) return "the CUDA runtime does not load: install libcudart";
  if (found.driver == 0) {
    return fmt::format(
        "no NVIDIA driver is installed (libcuda.so.1; convoy is built with CUDA runtime {}, NCCL "
        "{}): install the driver, or use backend mpi",
        cuda_version_text(found.runtime), nccl_version_text(found.nccl));
  }
  int devices = 0;
  const cudaError_t result = cudaGetDeviceCount(&devices);
  static_cast<void>(cudaGetLastError());
  if (result == cudaErrorInsufficientDriver) {
    return fmt::format("the NVIDIA driver is too old: it is for CUDA {}, the runtime is {}",
                       cuda_version_text(found.driver), cuda_version_text(found.runtime));
  }
  return result == cudaSuccess && devices > 0 ? "" : why_no_device(result);
}

std::string version() {
  const std::string lack = missing();
  if (!lack.empty()) return lack;
  const Versions found = versions();
  int devices = 0;
  static_cast<void>(cudaGetDeviceCount(&devices));
  return fmt::format("NCCL {}, CUDA runtime {}, driver for CUDA {}, {} device{}",
                     nccl_version_text(found.nccl), cuda_version_text(found.runtime),
                     cuda_version_text(found.driver), devices, devices == 1 ? "" : "s");
}

std::unique_ptr<Communicator> make(Communicator& bootstrap, const Options& options) {
  const auto places = exchange_places(bootstrap, own_place(missing(), options.device));
  const int device = choose_device(places, bootstrap.rank());
  // And stays: a thread that goes back to device 0 makes a context there, beside that of its rank.
  check_cuda(cudaSetDevice(device), "cudaSetDevice");
  const auto checking = all_reduce_value(bootstrap, std::int32_t{options.check_calls ? 1 : 0});
  require(checking == 0 || checking == bootstrap.size(),
          "nccl: Options::check_calls must be the same on all ranks");
  return std::make_unique<NcclCommunicator>(bootstrap.duplicate(), options, device);
}

int device_of(const Communicator& communicator) {
  if (const auto* staging = dynamic_cast<const StagingCommunicator*>(&communicator)) {
    return staging->device();
  }
  const auto* over_nccl = dynamic_cast<const NcclCommunicator*>(&communicator);
  require(over_nccl != nullptr,
          fmt::format("nccl: a communicator over {} has no device", communicator.backend()));
  return over_nccl->device();
}

}  // namespace convoy::comm::nccl
