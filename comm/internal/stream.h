// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>

#include "comm/communicator.h"
#include "comm/internal/scratch_pool.h"
#include "comm/internal/transport.h"

namespace convoy::comm::internal {

/// What a rank has called; travels in headers, so the order is part of the wire format.
enum class Kind : std::uint8_t {
  kAllReduce,
  kReduceScatter,
  kAllGather,
  kAllToAll,
  kBroadcast,
  kBarrier,
  kSend,
  kRecv
};
[[nodiscard]] const char* name(Kind kind);

/// What all ranks of one operation must agree on, besides sizes.
struct Signature {
  Kind kind = Kind::kBarrier;
  DType dtype = DType::kUInt8;
  ReduceOp op = ReduceOp::kSum;  // stays so where nothing is reduced
};

[[nodiscard]] inline bool is_collective(Kind kind) {
  return kind != Kind::kSend && kind != Kind::kRecv;
}

/// What a rank tells the others about its call.
struct CallMark {
  Signature signature;
  std::uint32_t context = 0;   ///< Communicator::set_context(); 0 for send and recv
  std::uint64_t sequence = 0;  ///< 0 for send and recv, which have no common order
  std::uint64_t total_bytes = 0;
};

/// @throws TransportError that says what `peer` has called where that is something else.
void check_agreement(int peer, const CallMark& theirs, const CallMark& own);

/// How a run of bytes is cut into messages: equal chunks and a shorter last one. An empty run is
/// one empty chunk.
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

/// Messages of a stream that are under way at a time, and chunks that a peer may be ahead of the
/// slowest one: enough to receive one while another is added and a third is on the wire. More would
/// let streams that share a link drift apart, and those that end last leave other links idle.
[[nodiscard]] inline std::size_t chunks_ahead(std::size_t chunk_bytes) {
  constexpr std::size_t kBytes = std::size_t{256} << 10;
  return std::clamp<std::size_t>(kBytes / chunk_bytes, 4, 64);
}

/// The first message of every stream: what follows. Ranks that disagree find out here, and a
/// message never meets a smaller receive: Open MPI 4.1 writes past the end of one over shared
/// memory.
struct Header {
  std::uint64_t total_bytes = 0;
  std::uint64_t chunk_bytes = 0;
  Signature signature;
  std::uint8_t unused = 0;
  std::uint32_t context = 0;
  std::uint64_t sequence = 0;
  std::int32_t chunk_tag = 0;
  std::uint32_t unused_too = 0;

  [[nodiscard]] CallMark mark() const { return {signature, context, sequence, total_bytes}; }
};
static_assert(sizeof(Header) == 40, "no byte of a header may be undefined");

/// A single chunk of at most this size, unless the transport says more, is sent together with the
/// header: small enough that every MPI sends both eagerly, i.e. without asking the receiver.
inline constexpr std::size_t kRidesAlongBytes = 2048;

/// A run of bytes to or from one peer; common to both directions.
/// Wire layout: the header, with the chunk behind it if that rides along; else one message per
/// chunk, in order, with the header's chunk_tag.
class Stream {
 public:
  /// @param rides_along_bytes  the same on both sides, or the sizes disagree.
  Stream(ScratchPool& pool, Signature signature, Route route, Chunks chunks,
         std::size_t rides_along_bytes);

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
  /// Before the first message: the tags of the header and of the chunks.
  void set_tags(int tag, int chunk_tag) {
    route_.tag = tag;
    header_.chunk_tag = chunk_tag;
  }
  /// Before the first message.
  void set_place(std::uint64_t sequence, std::uint32_t context) {
    header_.sequence = sequence;
    header_.context = context;
  }
  /// True when the first message has been over: of a receiver, its peer has come to this call.
  [[nodiscard]] bool has_begun() const { return retired_ > 0; }
  void set_priority(int priority) { priority_ = priority; }

 protected:
  [[nodiscard]] bool may_start() const;
  [[nodiscard]] bool header_is_next() const { return started_ == 0; }
  [[nodiscard]] std::size_t next_chunk() const { return started_ - lead_; }
  [[nodiscard]] bool rides_along() const { return lead_ == 0; }
  /// Counts and addresses the next message; its memory is to be set.
  [[nodiscard]] Message& start_message();
  /// The oldest message if it is over. @throws TransportError if it failed.
  [[nodiscard]] const Message* oldest_finished() const;
  [[nodiscard]] bool header_is_oldest() const { return retired_ == 0; }
  void retire();
  [[nodiscard]] Header& header() { return header_; }
  [[nodiscard]] const Header& header() const { return header_; }
  /// Room for the first message.
  [[nodiscard]] std::span<std::byte> first_message() { return first_message_.bytes(); }

 private:
  Route route_;
  int priority_ = 0;
  Chunks chunks_;
  Header header_;
  std::size_t lead_;         // messages before the first chunk: 0 if that rides along
  std::size_t allowed_ = 0;  // chunks
  std::size_t started_ = 0;  // messages
  std::size_t retired_ = 0;
  std::deque<Message> flight_;  // keeps addresses while both ends move
  Scratch first_message_;
};

/// Sends `source` to a peer.
class OutStream : public Stream {
 public:
  OutStream(ScratchPool& pool, Signature signature, Route route, std::span<const std::byte> source,
            std::size_t chunk_bytes, std::size_t rides_along_bytes = kRidesAlongBytes);
  /// Starts what is allowed and retires what is over. @return payload bytes handed over now.
  std::size_t advance(Transport& transport);

 private:
  [[nodiscard]] std::span<const std::byte> next_chunk_bytes() const;
  [[nodiscard]] std::span<const std::byte> write_first_message();
  void retire_finished();

  std::span<const std::byte> source_;
};

/// Receives `total_bytes` into `memory`, which is as large or a ring of whole chunks.
class InStream : public Stream {
 public:
  /// @param signature  of what the sender should have called.
  InStream(ScratchPool& pool, Signature signature, Route route, std::span<std::byte> memory,
           std::size_t total_bytes, std::size_t chunk_bytes,
           std::size_t rides_along_bytes = kRidesAlongBytes);
  /// @throws TransportError when the peer sends something else.
  void advance(Transport& transport);
  [[nodiscard]] std::span<std::byte> chunk(std::size_t i) const;

 private:
  void retire_finished();
  void accept_first_message(std::size_t received_bytes);
  void check_agreement(const Header& theirs) const;

  std::span<std::byte> memory_;
  std::size_t slots_;
};

}  // namespace convoy::comm::internal
