// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/stream_receiver.h"

#include <spdlog/fmt/fmt.h>

#include <utility>

#include "base/errors.h"

namespace convoy::net {

StreamReceiver::StreamReceiver(std::int64_t bytes, const Sha256& sha256)
    : bytes_(bytes), announced_(sha256), limit_(bytes) {
  require(bytes >= 0, "StreamReceiver: a stream has no negative size");
}

std::optional<StreamError> StreamReceiver::restore(std::span<const std::byte> bytes) {
  if (error_) return error_;
  return add(bytes);
}

void StreamReceiver::allow(std::int64_t limit) { limit_ = limit; }

std::optional<StreamError> StreamReceiver::take(std::int64_t offset,
                                                std::span<const std::byte> bytes) {
  if (error_) return error_;
  if (offset != received_) {
    return fail(StreamFault::kOffset,
                fmt::format("a chunk at {} came where {} was next", offset, received_));
  }
  if (std::ssize(bytes) > limit_ - offset && limit_ < bytes_) {
    return fail(StreamFault::kBeyondLimit, fmt::format("{} bytes at {} came where {} were allowed",
                                                       bytes.size(), offset, limit_));
  }
  return add(bytes);
}

std::optional<StreamError> StreamReceiver::finish(const Sha256& sha256) {
  if (error_) return error_;
  if (!is_complete()) {
    return fail(StreamFault::kIncomplete,
                fmt::format("the stream ended after {} of {} bytes", received_, bytes_));
  }
  if (sha256 != announced_ || hash_.digest() != announced_) {
    return fail(StreamFault::kHash,
                fmt::format("{} bytes came whose SHA-256 is not the announced", received_));
  }
  return std::nullopt;
}

std::optional<StreamError> StreamReceiver::add(std::span<const std::byte> bytes) {
  if (std::ssize(bytes) > bytes_ - received_) {
    return fail(StreamFault::kOverrun, fmt::format("{} bytes at {} are more than the announced {}",
                                                   bytes.size(), received_, bytes_));
  }
  hash_.add(bytes);
  received_ += std::ssize(bytes);
  return std::nullopt;
}

StreamError StreamReceiver::fail(StreamFault fault, std::string reason) {
  error_ = StreamError{.fault = fault, .reason = std::move(reason)};
  return *error_;
}

}  // namespace convoy::net
