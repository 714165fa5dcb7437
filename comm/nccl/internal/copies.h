// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "comm/nccl/internal/handles.h"
#include "comm/nccl/internal/pinned_pool.h"

namespace convoy::comm::nccl {

/// A run of bytes that is copied on a device or from or to pinned memory.
struct Copy {
  std::byte* to = nullptr;
  const std::byte* from = nullptr;
  std::size_t bytes = 0;
  cudaMemcpyKind kind = cudaMemcpyDefault;
};

/// Where copies of one device between it and the host run, and the memory that they use there.
/// With the device current.
class Copies {
 public:
  Copies() = default;

  [[nodiscard]] PinnedPool& pool() const { return *pool_; }
  /// After `ready`; `done` says when all are over. What goes to the host does not wait for what
  /// goes to the device.
  void start(const std::vector<Copy>& copies, const Event& ready, const Event& done) const;
  /// True when nothing is under way.
  [[nodiscard]] bool at_rest() const;

 private:
  Stream to_host_ = make_stream();
  Stream to_device_ = make_stream();
  std::shared_ptr<PinnedPool> pool_ = std::make_shared<PinnedPool>();
};

/// How long a failed communicator waits for its streams to come to rest.
inline constexpr std::chrono::seconds kRest{5};

}  // namespace convoy::comm::nccl
