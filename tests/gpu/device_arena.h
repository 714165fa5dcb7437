// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>

#include "comm/nccl/internal/handles.h"

namespace convoy::tests {

/// One allocation of device memory and a pinned one beside it, given out in pieces: cudaMalloc and
/// cudaFree may wait for the device, and so for collectives of ranks that wait for this one. Any
/// thread.
class DeviceArena : public std::enable_shared_from_this<DeviceArena> {
 public:
  struct Piece {
    std::byte* device;
    std::byte* pinned;  ///< as large, on the host
  };

  /// On the current device of the thread.
  explicit DeviceArena(std::size_t bytes);

  /// Comes back, and lets go of the arena, with its last owner.
  /// @throws std::runtime_error where the memory is used up.
  [[nodiscard]] std::shared_ptr<Piece> take(std::size_t bytes);

 private:
  void give_back(std::size_t at, std::size_t bytes);

  comm::nccl::DeviceMemory device_;
  comm::nccl::PinnedMemory pinned_;
  std::mutex mutex_;
  std::map<std::size_t, std::size_t> free_;  // places and sizes; neighbours are joined
};

}  // namespace convoy::tests
