// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace convoy::launch {

/// What this machine and this program have of all that training on GPUs needs. Versions as CUDA and
/// NCCL number them: 13000 is 13.0, 22809 is 2.28.9, 0 is none.
struct GpuParts {
  int driver = 0;                              ///< the newest CUDA that it runs
  int devices = 0;                             ///< that the driver shows
  std::string device_problem;                  ///< the driver's own words where it shows none
  std::optional<std::string> visible_devices;  ///< CUDA_VISIBLE_DEVICES where it is set
  bool kernels = false;                        ///< built with CONVOY_WITH_CUDA
  int runtime = 0;                             ///< that the NCCL backend was built with
  int nccl = 0;
  std::string no_nccl;  ///< why it was built without NCCL
  std::string torch;    ///< LibTorch's version
  int torch_runtime = 0;
  int torch_devices = 0;
};

struct MissingPart {
  std::string part;  ///< "driver" | "device" | "runtime" | "nccl" | "kernels" | "libtorch"
  std::string what;  ///< what is wrong with it
  std::string cure;  ///< what to install
};

/// Every part that is missing, in the order in which one would install them. Pure.
[[nodiscard]] std::vector<MissingPart> missing_parts(const GpuParts& found);
/// Those that `convoy train` needs: without the kernels it compresses on the CPU.
[[nodiscard]] std::vector<MissingPart> missing_for_jobs(const GpuParts& found);
/// "driver: none ...: apt-get install ..."
[[nodiscard]] std::string to_line(const MissingPart& missing);

/// Looks, and starts the driver where there is one, which takes a moment at the first call.
[[nodiscard]] GpuParts find_gpu_parts();
/// @throws ConfigError in one line that names every part of missing_for_jobs() and what to install;
///         `where` is what the user wrote, as in `communication.backend = "nccl"`.
void require_gpu_parts(const GpuParts& found, const std::string& where);

}  // namespace convoy::launch
