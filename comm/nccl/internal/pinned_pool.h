// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>

#include "comm/nccl/internal/handles.h"

namespace convoy::comm::nccl {

/// Pinned memory that is kept for later: CUDA takes long to allocate it and may wait for all that
/// is under way on the device. Any thread; shared by those who use it and the memory in use.
class PinnedPool : public std::enable_shared_from_this<PinnedPool> {
 public:
  /// At least `bytes`, of any content, which come back when the last owner goes. Null for 0 bytes.
  /// @throws internal::TransportError.
  [[nodiscard]] std::shared_ptr<std::byte> take(std::size_t bytes);

 private:
  void give_back(std::size_t bytes, PinnedMemory memory) noexcept;

  std::mutex mutex_;
  std::multimap<std::size_t, PinnedMemory> free_;  // by size
};

}  // namespace convoy::comm::nccl
