// SPDX-License-Identifier: Apache-2.0
#include "launch/process/gpu_parts.h"

#include <spdlog/fmt/fmt.h>

#include "base/errors.h"
#include "comm/nccl/nccl.h"

namespace convoy::launch {
namespace {

// Packages as Debian 12 and 13 and NVIDIA's repositories name them.
constexpr const char* kDriver =
    "apt-get install nvidia-driver (Debian's own, in non-free, is for CUDA 12; NVIDIA's repository "
    "has newer ones), then restart";
constexpr const char* kToolkit =
    "apt-get install cuda-toolkit from NVIDIA's repository (or set CUDAToolkit_ROOT), then build "
    "convoy again";

int major_of(int code) { return code / 1000; }

void add_driver(const GpuParts& found, std::vector<MissingPart>& missing) {
  if (found.driver == 0) {
    missing.push_back({"driver", "none is installed (libcuda.so.1 does not load)", kDriver});
  } else if (major_of(found.driver) < major_of(found.runtime)) {
    const auto what = fmt::format("it is for CUDA {}, too old for convoy's runtime {}",
                                  comm::nccl::cuda_version_text(found.driver),
                                  comm::nccl::cuda_version_text(found.runtime));
    missing.push_back({"driver", what, kDriver});
  }
}

void add_device(const GpuParts& found, std::vector<MissingPart>& missing) {
  if (found.driver == 0 || found.devices > 0) return;  // without a driver nobody knows
  if (found.visible_devices) {
    const auto what = fmt::format("none is visible (CUDA_VISIBLE_DEVICES=\"{}\"): {}",
                                  *found.visible_devices, found.device_problem);
    missing.push_back({"device", what, "unset it, or name devices that nvidia-smi -L lists"});
    return;
  }
  missing.push_back({"device", "the driver finds none: " + found.device_problem,
                     "see nvidia-smi; a container needs --gpus all"});
}

void add_libraries(const GpuParts& found, std::vector<MissingPart>& missing) {
  if (found.runtime == 0 && !found.kernels) {
    missing.push_back({"runtime", "convoy was built without the CUDA runtime", kToolkit});
  }
  if (found.nccl == 0) {
    missing.push_back({"nccl", found.no_nccl,
                       "apt-get install libnccl2 libnccl-dev from NVIDIA's repository (or set "
                       "NCCL_ROOT), then build convoy again with -DCONVOY_WITH_NCCL=ON"});
  }
  if (!found.kernels) {
    missing.push_back({"kernels", "convoy was built without CUDA kernels (nvcc 12 or newer)",
                       std::string(kToolkit) + " with -DCONVOY_WITH_CUDA=ON"});
  }
}

void add_libtorch(const GpuParts& found, std::vector<MissingPart>& missing) {
  if (found.torch_runtime == 0) {
    missing.push_back({"libtorch", fmt::format("LibTorch {} was built without CUDA", found.torch),
                       "get one with CUDA (pytorch.org, or the wheel torch of PyPI), then build "
                       "convoy again with CMAKE_PREFIX_PATH=/path/to/libtorch"});
  } else if (found.devices > 0 && found.torch_devices == 0) {
    const auto what =
        fmt::format("LibTorch {}, built with CUDA {}, sees none of {} devices", found.torch,
                    comm::nccl::cuda_version_text(found.torch_runtime), found.devices);
    const auto cure = fmt::format("get one for CUDA {} or older, or a newer driver",
                                  comm::nccl::cuda_version_text(found.driver));
    missing.push_back({"libtorch", what, cure});
  }
}

}  // namespace

std::vector<MissingPart> missing_parts(const GpuParts& found) {
  std::vector<MissingPart> missing;
  add_driver(found, missing);
  add_device(found, missing);
  add_libraries(found, missing);
  add_libtorch(found, missing);
  return missing;
}

std::vector<MissingPart> missing_for_jobs(const GpuParts& found) {
  auto missing = missing_parts(found);
  std::erase_if(missing, [](const MissingPart& part) { return part.part == "kernels"; });
  return missing;
}

std::string to_line(const MissingPart& missing) {
  return fmt::format("{}: {}: {}", missing.part, missing.what, missing.cure);
}

void require_gpu_parts(const GpuParts& found, const std::string& where) {
  const auto missing = missing_for_jobs(found);
  if (missing.empty()) return;
  std::string text;
  for (const MissingPart& part : missing) text += (text.empty() ? "" : "; ") + to_line(part);
  throw ConfigError(where + " cannot be used here: " + text);
}

}  // namespace convoy::launch
