// SPDX-License-Identifier: Apache-2.0
#include "tests/gpu/own_device.h"

#include <cuda_runtime_api.h>

#include "comm/nccl/internal/check.h"
#include "comm/nccl/internal/device.h"
#include "comm/nccl/nccl.h"

namespace convoy::tests {

int take_own_device(comm::Communicator& bootstrap) {
  const auto own = comm::nccl::own_place(comm::nccl::missing(), -1);
  const auto places = comm::nccl::exchange_places(bootstrap, own);
  const int device = comm::nccl::choose_device(places, bootstrap.rank());
  comm::nccl::check_cuda(cudaSetDevice(device), "cudaSetDevice");
  return device;
}

}  // namespace convoy::tests
