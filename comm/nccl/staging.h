// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "comm/communicator.h"

namespace convoy::comm::nccl {

/// Whether a rank wants a device.
enum class DeviceWish : std::uint8_t { kNone, kIfFree, kMust };

/// Shares the CUDA devices of each host among those of its ranks that want one, as make() does:
/// one each, in the order of ranks, among ranks that see the same devices. Collective over all
/// ranks of a job, those that want none included; blocking. A rank whose convoy was built without
/// NCCL may want none.
/// @param chosen  the device of this rank; -1: one that is free. Of ranks that must have one.
/// @return this rank's, now the current one of this thread; nothing where it wants none, or where
///         one that wants it if it is free finds none that it can use.
/// @throws ConfigError on all ranks where one must have a device and has none that it can use, or
///         a host has more such ranks than devices. CommError.
[[nodiscard]] std::optional<int> share_devices(Communicator& all, DeviceWish wish, int chosen = -1);

struct StagingOptions {
  /// As Options::stream.
  std::uintptr_t stream = 0;
  /// Of share_devices(); -1: the current one of this thread.
  int device = -1;
  /// `host` takes addresses of device memory for those of host memory, as MPI does where
  /// mpi::cuda_support() says so: what moves and is not summed then goes without a copy in host
  /// memory. Ranks may differ. Wrong with any other `host`: it crashes.
  bool direct = false;
};

/// A communicator that takes device memory (Device::kCuda) as well, over one that moves host
/// memory: a call on device memory becomes one call of the same kind on `host`, with the same turn,
/// counts and element type, on a copy in pinned memory. Local, and nothing of it travels: other
/// ranks of `host` may call the same on host memory, through `host` itself, and meet these ranks
/// in the same collective, with the same bits. split() and duplicate() give one like this, of what
/// they give of `host`, which has to outlive this one.
///
/// A call on device memory reads and writes its buffers after what was on the caller's stream when
/// it was made. It takes its place among the collectives at once, and goes to `host` when its
/// copy is there and somebody waits for or tests any request of this communicator. Meanwhile use
/// this one instead of `host` on the same rank, also for host memory and to reserve(): waiting for
/// a request of `host` itself moves nothing on here, this one does not know places that `host` has
/// given, and a context set there would reach calls made before. After a failure of CUDA `host` is
/// given up.
///
/// Pinned memory is kept for later calls until all that was split off is gone.
/// @throws ContractError with missing() where convoy was built without NCCL; CommError where the
///         device fails.
[[nodiscard]] std::unique_ptr<Communicator> stage(Communicator& host,
                                                  const StagingOptions& options = {});
/// The same, and owns `host`.
[[nodiscard]] std::unique_ptr<Communicator> stage(std::unique_ptr<Communicator> host,
                                                  const StagingOptions& options = {});

}  // namespace convoy::comm::nccl
