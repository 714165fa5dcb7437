// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "comm/communicator.h"
#include "tests/gpu/device_arena.h"

namespace convoy::tests {

/// The buffers of one call, copied to a device and back. A buffer inside another one is given the
/// same place there, so that calls in place stay such: hand over the larger one first.
class StagedCall {
 public:
  /// Copies stand on `stream`, which outlives the call.
  StagedCall(std::shared_ptr<DeviceArena> arena, const comm::nccl::Stream& stream);

  /// Device memory with the contents of host memory that is only read.
  [[nodiscard]] comm::ConstBuffer in(comm::ConstBuffer host);
  /// The same for memory that copy_back() will write.
  [[nodiscard]] comm::Buffer in_and_out(comm::Buffer host);
  /// When the call is over. Blocks.
  void copy_back();

 private:
  struct Twin {
    const std::byte* host = nullptr;
    std::size_t bytes = 0;
    std::shared_ptr<DeviceArena::Piece> piece;
    std::shared_ptr<void> host_owner;
  };
  using TwinPtr = std::shared_ptr<Twin>;
  struct Result {
    std::byte* host;
    std::size_t bytes;
    TwinPtr twin;
    std::size_t at;  ///< in the twin
  };

  /// The twin in which the host's memory lies.
  TwinPtr twin_of(const std::byte* host, std::size_t bytes, std::shared_ptr<void> owner);

  std::shared_ptr<DeviceArena> arena_;
  const comm::nccl::Stream* stream_;
  std::vector<TwinPtr> twins_;
  std::vector<Result> results_;
};

}  // namespace convoy::tests
