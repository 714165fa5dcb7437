// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/send_queue.h"

#include <utility>

#include "base/errors.h"

namespace convoy::net::internal {
namespace {

/// A buffer that is larger takes no further frame.
constexpr std::size_t kGatherBytes = std::size_t{64} << 10;

}  // namespace

std::uint64_t SendQueue::add(const Message& message, std::uint64_t answers) {
  const auto body = encode(message);
  require(body.size() <= FrameLimits().control_bytes, "a message that is larger than 64 KiB");
  auto& buffer = buffer_for(kFrameHeaderBytes + body.size());
  const std::size_t before = buffer.size();
  const auto id = writer_.write(type_of(message), body, buffer, answers);
  bytes_ += buffer.size() - before;
  return id;
}

void SendQueue::add(const Chunk& chunk) {
  require(chunk.stream != 0 && chunk.offset >= 0 && !chunk.bytes.empty() &&
              chunk.bytes.size() <= kMaxChunkBytes,
          "a chunk has a stream, a place and 1 to 1 MiB of bytes");
  auto& buffer = buffer_for(kFrameHeaderBytes + kChunkHeaderBytes + chunk.bytes.size());
  const std::size_t before = buffer.size();
  (void)write_chunk(writer_, chunk, buffer);
  bytes_ += buffer.size() - before;
}

std::vector<std::byte>& SendQueue::buffer_for(std::size_t frame_bytes) {
  if (!buffers_.empty() && buffers_.back().size() + frame_bytes <= kGatherBytes) {
    return buffers_.back();
  }
  spare_.clear();
  return buffers_.emplace_back(std::move(spare_));
}

std::span<const std::byte> SendQueue::front() const {
  if (buffers_.empty()) return {};
  return std::span(buffers_.front()).subspan(offset_);
}

void SendQueue::pop(std::size_t count) {
  offset_ += count;
  bytes_ -= count;
  if (offset_ < buffers_.front().size()) return;
  // Memory for one chunk is kept, and only while there is traffic of that size.
  if (buffers_.front().capacity() > spare_.capacity()) spare_ = std::move(buffers_.front());
  buffers_.pop_front();
  offset_ = 0;
}

void SendQueue::clear() {
  buffers_.clear();
  spare_ = {};
  offset_ = 0;
  bytes_ = 0;
}

}  // namespace convoy::net::internal
