// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/stream_sender.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

#include "base/errors.h"

namespace convoy::net {

StreamSender::StreamSender(std::int64_t bytes, StreamSource source, std::optional<Sha256> sha256,
                           std::size_t chunk_bytes)
    : bytes_(bytes), source_(std::move(source)), known_(sha256), chunk_bytes_(chunk_bytes) {
  require(bytes >= 0, "StreamSender: a stream has no negative size");
  require(chunk_bytes >= 1 && chunk_bytes <= kMaxChunkBytes,
          "StreamSender: chunks are of 1 byte to 1 MiB");
}

std::optional<StreamError> StreamSender::start(std::int64_t offset, std::int64_t limit) {
  if (offset < 0 || offset > bytes_ || limit < offset) {
    return StreamError{
        StreamFault::kOffset,
        fmt::format("the receiver wants bytes {} to {} of a stream of {}", offset, limit, bytes_)};
  }
  position_ = offset;
  limit_ = std::min(limit, bytes_);
  return std::nullopt;
}

std::optional<StreamError> StreamSender::allow(std::int64_t offset, std::int64_t limit) {
  if (offset > position_ || limit < limit_) {
    return StreamError{StreamFault::kOffset,
                       fmt::format("the receiver says that it has {} bytes and takes {}; {} were "
                                   "sent and {} allowed",
                                   offset, limit, position_, limit_)};
  }
  limit_ = std::min(limit, bytes_);
  return std::nullopt;
}

std::optional<StreamSender::Piece> StreamSender::next() {
  if (position_ >= limit_) return std::nullopt;
  // What lies before, and has neither been sent nor hashed by this object.
  if (!known_) hash_up_to(position_);
  const std::int64_t offset = position_;
  const auto bytes = read(offset, limit_);
  position_ += static_cast<std::int64_t>(bytes.size());
  if (!known_ && position_ > hashed_) {
    hash_.add(bytes.subspan(static_cast<std::size_t>(hashed_ - offset)));
    hashed_ = position_;
  }
  return Piece{.offset = offset, .bytes = bytes};
}

Sha256 StreamSender::digest() const {
  if (known_) return *known_;
  require(hashed_ == bytes_, "StreamSender: the digest is known at the end");
  return hash_.digest();
}

void StreamSender::hash_up_to(std::int64_t offset) {
  while (hashed_ < offset) {
    const auto bytes = read(hashed_, offset);
    hash_.add(bytes);
    hashed_ += static_cast<std::int64_t>(bytes.size());
  }
}

std::span<const std::byte> StreamSender::read(std::int64_t offset, std::int64_t end) {
  const auto left = static_cast<std::uint64_t>(end - offset);
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_bytes_, left));
  buffer_.resize(count);
  source_(offset, buffer_);
  return buffer_;
}

}  // namespace convoy::net
