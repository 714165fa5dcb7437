// SPDX-License-Identifier: Apache-2.0
// What convoy says where it was built without NCCL. CMake says why.
#include "base/errors.h"
#include "comm/nccl/internal/device_places.h"
#include "comm/nccl/nccl.h"
#include "comm/nccl/staging.h"

namespace convoy::comm::nccl {

bool built() { return false; }

bool available() { return false; }

std::string missing() { return "convoy was built without NCCL: " CONVOY_NCCL_MISSING; }

Versions versions() { return {}; }

std::string version() { return missing(); }

std::unique_ptr<Communicator> make(Communicator& /*bootstrap*/, const Options& /*options*/) {
  throw ContractError(missing());
}

std::optional<int> share_devices(Communicator& all, DeviceWish wish, int chosen) {
  auto own = place_without_device();
  if (wish == DeviceWish::kMust) {
    own.problem = missing();
    own.wanted = chosen < 0 ? DevicePlace::kAny : chosen;
  }
  static_cast<void>(choose_device(exchange_places(all, own), all.rank()));
  return std::nullopt;
}

std::unique_ptr<Communicator> stage(Communicator& /*host*/, const StagingOptions& /*options*/) {
  throw ContractError(missing());
}

std::unique_ptr<Communicator> stage(std::unique_ptr<Communicator> /*host*/,
                                    const StagingOptions& /*options*/) {
  throw ContractError(missing());
}

int device_of(const Communicator& /*communicator*/) { throw ContractError(missing()); }

}  // namespace convoy::comm::nccl
