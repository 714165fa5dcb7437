// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>

#include "comm/internal/transport.h"

namespace convoy::comm::internal {

/// How a run of bytes is cut into messages: equal chunks and a shorter last one. An empty run is
/// one empty message.
struct Chunks {
  std::size_t total_bytes = 0;
  std::size_t chunk_bytes = 1;

  [[nodiscard]] std::size_t count() const {
    return total_bytes == 0 ? 1 : (total_bytes - 1) / chunk_bytes + 1;
  }
  [[nodiscard]] std::size_t offset(std::size_t i) const { return i * chunk_bytes; }
  [[nodiscard]] std::size_t bytes(std::size_t i) const {
    return std::min(chunk_bytes, total_bytes - offset(i));
  }
  /// Bytes of the first `n` chunks.
  [[nodiscard]] std::size_t bytes_of_first(std::size_t n) const {
    return std::min(total_bytes, n * chunk_bytes);
  }
};

inline constexpr std::size_t kAllChunks = SIZE_MAX;

/// Common to both directions. Wire layout: one message per chunk, in order; when there are several
/// chunks, a message of 8 bytes with the total goes first, so that ranks which disagree about a
/// size find out at once.
class Stream {
 public:
  Stream(Route route, Chunks chunks, std::size_t window);

  /// Lets the first `n` chunks travel. @return true if that is more than before.
  bool allow(std::size_t n) {
    const std::size_t before = allowed_;
    allowed_ = std::max(allowed_, std::min(n, chunks_.count()));
    return allowed_ != before;
  }
  /// Chunks that have travelled, in order.
  [[nodiscard]] std::size_t finished() const { return retired_ < lead_ ? 0 : retired_ - lead_; }
  [[nodiscard]] bool done() const { return finished() == chunks_.count(); }
  [[nodiscard]] std::size_t finished_bytes() const { return chunks_.bytes_of_first(finished()); }
  [[nodiscard]] const Chunks& chunks() const { return chunks_; }
  [[nodiscard]] const Route& route() const { return route_; }
  void set_tag(int tag) { route_.tag = tag; }

 protected:
  /// True if another message may be started now.
  [[nodiscard]] bool may_start() const;
  /// The message to start next; its index among the chunks follows.
  [[nodiscard]] Message& next_message();
  [[nodiscard]] bool next_is_announcement() const { return started_ < lead_; }
  [[nodiscard]] std::size_t next_chunk() const { return started_ - lead_; }
  [[nodiscard]] std::span<std::byte> announcement() {
    return std::as_writable_bytes(std::span(&announced_bytes_, 1));
  }
  /// The oldest message if it is over. @throws TransportError if it failed.
  [[nodiscard]] const Message* oldest_finished() const;
  void retire();
  void count_start() { ++started_; }
  [[nodiscard]] bool oldest_is_announcement() const { return retired_ < lead_; }
  [[nodiscard]] std::uint64_t announced_bytes() const { return announced_bytes_; }

 private:
  Route route_;
  Chunks chunks_;
  std::size_t window_;
  std::size_t lead_;  // 1 when an announcement goes first
  std::uint64_t announced_bytes_;
  std::size_t allowed_ = 0;  // chunks
  std::size_t started_ = 0;  // messages, the announcement included
  std::size_t retired_ = 0;
  std::deque<Message> flight_;  // keeps addresses while both ends move
};

/// Sends `source` to a peer, at most `window` messages at a time.
class OutStream : public Stream {
 public:
  OutStream(Route route, std::span<const std::byte> source, std::size_t chunk_bytes,
            std::size_t window);
  /// Starts what is allowed and retires what is over. @return payload bytes handed over now.
  std::size_t advance(Transport& transport);

 private:
  void retire_finished();

  std::span<const std::byte> source_;
};

/// Receives `total_bytes` into `memory`, which is as large or a ring of whole chunks.
class InStream : public Stream {
 public:
  InStream(Route route, std::span<std::byte> memory, std::size_t total_bytes,
           std::size_t chunk_bytes, std::size_t window);
  /// @throws TransportError when a message of another size came.
  void advance(Transport& transport);
  [[nodiscard]] std::span<std::byte> chunk(std::size_t i) const;

 private:
  void retire_finished();
  void check_oldest(const Message& message) const;

  std::span<std::byte> memory_;
  std::size_t slots_;
};

}  // namespace convoy::comm::internal
