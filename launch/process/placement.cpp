// SPDX-License-Identifier: Apache-2.0
#include "launch/process/placement.h"

#include <torch/torch.h>
#include <torch/version.h>

#include <string>

#include "base/errors.h"
#include "comm/nccl/nccl.h"

namespace convoy::launch {

trainer::Placement placement_of(const comm::Communicator& communicator) {
  if (communicator.backend() != "nccl") return {};
  const int device = comm::nccl::device_of(communicator);
  require_config(
      torch::cuda::is_available() && device < static_cast<int>(torch::cuda::device_count()),
      "communication.backend = \"nccl\": LibTorch " TORCH_VERSION " cannot use CUDA device " +
          std::to_string(device) +
          ": build convoy with a LibTorch that has CUDA (CMAKE_PREFIX_PATH)");
  return {.device = torch::Device(torch::kCUDA, static_cast<torch::DeviceIndex>(device)),
          .memory = comm::Device::kCuda};
}

}  // namespace convoy::launch
