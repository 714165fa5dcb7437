// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/sha256.h"
#include "scheduler/net/frame.h"
#include "scheduler/net/stream_error.h"

namespace convoy::net {

/// Fills `out` with a stream's bytes from `offset` on: a file, a generator, tensors in memory
/// (tensor_manifest.h). Must give the same bytes whenever it is asked.
using StreamSource = std::function<void(std::int64_t offset, std::span<std::byte> out)>;

/// Cuts a stream of any size into chunks. Holds one chunk. One thread.
class StreamSender {
 public:
  struct Piece {
    std::int64_t offset = 0;
    std::span<const std::byte> bytes;  ///< valid until the sender is called again
  };

  /// @param sha256  of the whole stream. Nothing: it is computed on the way, and a start beyond
  /// what
  ///        has been sent reads what lies before it.
  StreamSender(std::int64_t bytes, StreamSource source, std::optional<Sha256> sha256 = {},
               std::size_t chunk_bytes = kMaxChunkBytes);

  /// What the receiver said when the stream began, here or on another connection before: everything
  /// before `offset` is safe there. Also sends again what has been sent.
  [[nodiscard]] std::optional<StreamError> start(std::int64_t offset, std::int64_t limit);
  /// What it said later: more may be sent.
  [[nodiscard]] std::optional<StreamError> allow(std::int64_t offset, std::int64_t limit);

  /// The next chunk; nothing at the end, and where the receiver does not take more yet.
  [[nodiscard]] std::optional<Piece> next();
  [[nodiscard]] bool at_end() const { return position_ == bytes_; }
  /// Of the whole stream. @throws ContractError before the end where it was not given.
  [[nodiscard]] Sha256 digest() const;

  [[nodiscard]] std::int64_t position() const { return position_; }
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }

 private:
  void hash_up_to(std::int64_t offset);
  std::span<const std::byte> read(std::int64_t offset, std::int64_t end);

  std::int64_t bytes_;
  StreamSource source_;
  std::optional<Sha256> known_;
  std::size_t chunk_bytes_;
  std::int64_t position_ = 0;
  std::int64_t limit_ = 0;
  Sha256Stream hash_;
  std::int64_t hashed_ = 0;  ///< everything before has gone into hash_
  std::vector<std::byte> buffer_;
};

}  // namespace convoy::net
