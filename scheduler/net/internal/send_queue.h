// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "scheduler/net/chunk.h"
#include "scheduler/net/frame_writer.h"
#include "scheduler/net/message_codec.h"

namespace convoy::net::internal {

/// Frames that wait to be written. Small ones lie together in one buffer, so that they share a TLS
/// record and a packet; a large chunk has its own. One thread.
class SendQueue {
 public:
  /// @return the frame's id. @throws ContractError as encode() and FrameWriter; then nothing has
  /// been added.
  std::uint64_t add(const Message& message, std::uint64_t answers);
  void add(const Chunk& chunk);

  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] bool empty() const { return bytes_ == 0; }
  /// What must be written next. It may move, but stays the beginning of what front() is later.
  [[nodiscard]] std::span<const std::byte> front() const;
  /// The first `count` bytes of front() have been written.
  void pop(std::size_t count);
  void clear();

 private:
  std::vector<std::byte>& buffer_for(std::size_t frame_bytes);

  FrameWriter writer_;
  std::deque<std::vector<std::byte>> buffers_;
  std::size_t offset_ = 0;  // written of the first one
  std::size_t bytes_ = 0;
  std::vector<std::byte> spare_;  // of a buffer that is written: its memory is there already
};

}  // namespace convoy::net::internal
