// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/sha256.h"
#include "scheduler/net/stream_error.h"

namespace convoy::net {

/// Checks that a stream arrives whole and in order, without keeping any of it. It outlives a
/// connection: the next one goes on at received(), once that is on stable storage. After a
/// restart a new one is given what had been stored. The first error is the last. One thread.
class StreamReceiver {
 public:
  /// As the ...Begin has announced.
  StreamReceiver(std::int64_t bytes, const Sha256& sha256);

  /// Bytes that were stored before a restart, the first ones first, in pieces of any size; before
  /// take(). The time is that of hashing them.
  [[nodiscard]] std::optional<StreamError> restore(std::span<const std::byte> bytes);
  /// Bytes before `limit` may come from now on; before the first call all may.
  void allow(std::int64_t limit);

  /// The next chunk. Only what this lets through may be stored.
  [[nodiscard]] std::optional<StreamError> take(std::int64_t offset,
                                                std::span<const std::byte> bytes);
  /// The sender has said that this is all, and its hash.
  [[nodiscard]] std::optional<StreamError> finish(const Sha256& sha256);

  [[nodiscard]] std::int64_t received() const { return received_; }
  [[nodiscard]] bool is_complete() const { return received_ == bytes_; }

 private:
  std::optional<StreamError> add(std::span<const std::byte> bytes);
  StreamError fail(StreamFault fault, std::string reason);

  std::int64_t bytes_;
  Sha256 announced_;
  std::int64_t limit_;
  std::int64_t received_ = 0;
  Sha256Stream hash_;
  std::optional<StreamError> error_;
};

}  // namespace convoy::net
