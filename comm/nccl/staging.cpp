// SPDX-License-Identifier: Apache-2.0
#include "comm/nccl/staging.h"

#include <utility>

#include "base/errors.h"
#include "comm/nccl/internal/check.h"
#include "comm/nccl/internal/device.h"
#include "comm/nccl/internal/staging_communicator.h"
#include "comm/nccl/nccl.h"

namespace convoy::comm::nccl {
namespace {

std::shared_ptr<StagingDevice> make_device(const Communicator& host,
                                           const StagingOptions& options) {
  try {
    int device = options.device;
    if (device < 0) check_cuda(cudaGetDevice(&device), "cudaGetDevice");
    const DeviceGuard guard(device);
    return std::make_shared<StagingDevice>(device, reinterpret_cast<cudaStream_t>(options.stream),
                                           options.direct);
  } catch (const internal::TransportError& error) {
    throw CommError("staging set-up rank " + std::to_string(host.rank()) + "/" +
                    std::to_string(host.size()) + ", device " + std::to_string(options.device) +
                    ": " + error.what());
  }
}

}  // namespace

std::optional<int> share_devices(Communicator& all, DeviceWish wish, int chosen) {
  auto own = wish == DeviceWish::kNone ? place_without_device() : own_place(missing(), chosen);
  if (wish == DeviceWish::kIfFree) own.wanted = DevicePlace::kIfFree;
  const int device = choose_device(exchange_places(all, own), all.rank());
  if (device == DevicePlace::kNone) return std::nullopt;
  // And stays: see make().
  check_cuda(cudaSetDevice(device), "cudaSetDevice");
  return device;
}

std::unique_ptr<Communicator> stage(Communicator& host, const StagingOptions& options) {
  return std::make_unique<StagingCommunicator>(host, nullptr, make_device(host, options));
}

std::unique_ptr<Communicator> stage(std::unique_ptr<Communicator> host,
                                    const StagingOptions& options) {
  require(host != nullptr, "stage: there is no communicator");
  Communicator& behind = *host;
  auto device = make_device(behind, options);
  return std::make_unique<StagingCommunicator>(behind, std::move(host), std::move(device));
}

}  // namespace convoy::comm::nccl
