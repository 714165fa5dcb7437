// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "comm/internal/scratch_pool.h"
#include "comm/internal/stream.h"

namespace convoy::comm::internal {

/// What a call was, for its error messages.
struct Call {
  Kind kind = Kind::kBarrier;
  DType dtype = DType::kUInt8;
  std::int64_t numel = 0;
  ReduceOp op = ReduceOp::kSum;  // of reductions
  std::uint64_t sequence = 0;    // of the calls of collectives, or of send and recv; from 1
  std::uint32_t context = 0;     // Communicator::set_context(), of collectives
};
/// "all_reduce of 4096 float32 (sequence 17, context 0000abcd)".
[[nodiscard]] std::string to_string(const Call& call);
/// "all_reduce rank 0/4, 4096 float32 (sequence 17)".
[[nodiscard]] std::string describe(const Call& call, int rank, int size);

inline constexpr std::size_t kAlignment = 8;  // the largest element

/// The rank's place and how its messages are cut.
struct Layout {
  int rank = 0;
  int size = 1;
  std::size_t chunk_bytes = 1;        // of collectives; a multiple of every element size
  std::size_t least_chunk_bytes = 1;  // below which cutting finer costs more than it gains
  std::size_t max_message_bytes = 1;  // of send and recv
  std::size_t rides_along_bytes = kRidesAlongBytes;  // of collectives
  SharedArea* shared = nullptr;    // of the transport; null: sums travel in messages
  ScratchPool* scratch = nullptr;  // of the engine
};

/// One operation under way: its streams and, in derived classes, what joins them. Guarded by the
/// engine's mutex.
class Exchange {
 public:
  enum class State : std::uint8_t { kActive, kDone, kFailed };

  Exchange(Call call, const Layout& layout) : call_(call), layout_(layout) {}
  virtual ~Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Gives the call its place among the collectives, or among send and recv; its tags follow.
  void set_sequence(std::uint64_t sequence, std::uint32_t context = 0);
  [[nodiscard]] bool is_collective() const { return internal::is_collective(call_.kind); }
  [[nodiscard]] const Call& call() const { return call_; }
  /// What other ranks are told where they can look; sizes only where all ranks have the same.
  [[nodiscard]] CallMark mark() const;
  /// Sets heard_in[r] to the sequence of this collective where rank r has come to it, or further.
  virtual void note_heard(std::span<std::uint64_t> heard_in) const;
  /// True when data of `rank` is due and none of it has come.
  [[nodiscard]] virtual bool awaits(int rank) const;
  /// Before the first message. Lower: needed sooner.
  void set_priority(int priority);
  [[nodiscard]] int priority() const { return priority_; }
  /// True until it has begun, for what must begin in the order of places.
  [[nodiscard]] virtual bool begins_in_order() const { return false; }
  /// Moves everything on as far as it goes. @return true when the operation is complete.
  /// @throws TransportError.
  [[nodiscard]] virtual bool advance(Transport& transport);
  /// Payload bytes handed to peers since the last call.
  [[nodiscard]] std::uint64_t take_bytes_sent();

  [[nodiscard]] std::string describe() const {
    return internal::describe(call_, layout_.rank, layout_.size);
  }
  /// "no data from rank 2 within 5.0 s (received 8192 of 16384 bytes)".
  [[nodiscard]] virtual std::string describe_delay(std::chrono::milliseconds waited) const;

  /// Holds the owners of the caller's buffers until the operation is over.
  void keep(std::shared_ptr<void> owner) {
    if (owner == nullptr) {
      borrows_ = true;
    } else {
      owners_.push_back(std::move(owner));
    }
  }
  /// True when a buffer came without an owner: its memory may go before the messages do.
  [[nodiscard]] bool borrows() const { return borrows_; }

  State state = State::kActive;
  std::string failure;
  bool failed_by_peer = false;

 protected:
  /// Streams of a collective. Phases keep the messages of one collective apart.
  InStream& receive(int peer, int phase, std::span<std::byte> memory, std::size_t total_bytes);
  InStream& receive(int peer, int phase, std::span<std::byte> memory) {
    return receive(peer, phase, memory, memory.size());
  }
  OutStream& send(int peer, int phase, std::span<const std::byte> source);
  /// The one stream of a recv or send.
  void receive_from_user(int peer, int tag, std::span<std::byte> memory);
  void send_to_user(int peer, int tag, std::span<const std::byte> source);
  void allow_all();

  [[nodiscard]] const Layout& layout() const { return layout_; }
  [[nodiscard]] Scratch scratch(std::size_t bytes) const { return layout_.scratch->take(bytes); }
  [[nodiscard]] std::deque<InStream>& ins() { return ins_; }
  [[nodiscard]] std::deque<OutStream>& outs() { return outs_; }
  [[nodiscard]] bool streams_done() const;
  [[nodiscard]] Signature signature() const;
  void count_sent(std::uint64_t bytes) { bytes_sent_ += bytes; }

 private:
  /// Works on what has arrived and allows more chunks. @return true if the streams can move on.
  virtual bool step() { return false; }

  Call call_;
  Layout layout_;
  int priority_ = 0;
  std::deque<InStream> ins_;
  std::deque<OutStream> outs_;
  std::vector<std::shared_ptr<void>> owners_;
  bool borrows_ = false;
  std::uint64_t bytes_sent_ = 0;
};

}  // namespace convoy::comm::internal
