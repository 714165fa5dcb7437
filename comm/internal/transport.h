// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/errors.h"
#include "comm/internal/wakeup.h"

namespace convoy::comm::internal {

class SharedArea;

/// Keeps the messages of collectives and of send() and recv() apart.
enum class Channel : std::uint8_t { kCollective, kUser };

/// Tags stay below this, the least that MPI promises.
inline constexpr int kTags = 1 << 15;
/// Those of send() and recv() stay below this; the rest of their channel is for the chunks of long
/// messages.
inline constexpr int kUserTags = kTags / 2;

struct Route {
  int peer = 0;
  Channel channel = Channel::kCollective;
  int tag = 0;
  bool operator==(const Route&) const = default;
};

/// Why a message cannot travel; the engine turns it into a CommError that names the operation.
class TransportError : public CommError {
 public:
  explicit TransportError(const std::string& what, bool peer_left = false)
      : CommError(what), peer_left_(peer_left) {}
  /// True when the cause lies with a peer that has gone, and not here.
  [[nodiscard]] bool peer_left() const { return peer_left_; }

 private:
  bool peer_left_;
};

/// One message on its way: `source` when it is sent, `target` when it is received. Its address
/// stays fixed while it is pending. A transport writes the other fields first and `state` last
/// (release).
struct Message {
  enum class State : std::uint8_t { kPending, kDone, kFailed };

  Route route;
  std::span<const std::byte> source;
  std::span<std::byte> target;
  /// Both ends know that it comes: it may wait until its receiver has asked for it, so that it
  /// needs no memory besides its own. Others are short (some 2 KiB).
  bool is_expected = false;
  /// Of messages that could go next the one with the lowest should; equal for all of one route.
  int priority = 0;
  /// The size of the message that arrived; not that of `target` when the ranks disagree, and then
  /// the content of `target` is undefined.
  std::size_t received_bytes = 0;
  std::string error;
  bool peer_left = false;
  std::atomic<State> state{State::kPending};

  void finish(std::size_t bytes) {
    received_bytes = bytes;
    state.store(State::kDone, std::memory_order_release);
  }
  void fail(const std::string& why, bool by_peer = false) {
    error = why;
    peer_left = by_peer;
    state.store(State::kFailed, std::memory_order_release);
  }
};

/// What every rank told the others about a split: the ranks of this rank's new group, in their new
/// order, and this rank's place among them.
struct SplitGroup {
  int color = 0;
  int key = 0;
  std::vector<int> members;
  int index = 0;
  /// What prepare_split() gave each member, in the new order.
  std::vector<std::vector<std::uint8_t>> offers;
};

/// Moves messages between the ranks of one group; all that a backend has to bring. Messages of
/// equal route arrive in the order of the calls. Calls are serialised by the engine, except
/// wakeup().
class Transport {
 public:
  virtual ~Transport() = default;

  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;
  [[nodiscard]] virtual std::string_view backend() const = 0;
  [[nodiscard]] virtual std::size_t max_message_bytes() const = 0;
  /// Down to this a large all-reduce may cut its chunks finer than it was told, where that makes it
  /// end sooner; a multiple of 8.
  [[nodiscard]] virtual std::size_t least_chunk_bytes() const { return SIZE_MAX; }

  /// Up to here a collective sends a single chunk behind its header, which nobody has asked for.
  [[nodiscard]] virtual std::size_t rides_along_bytes() const { return 2048; }
  /// Memory that all ranks of the group see, for sums without messages; null where there is none.
  [[nodiscard]] virtual SharedArea* shared_area() { return nullptr; }
  /// Something has changed there: the other ranks look again.
  virtual void signal_peers() {}

  /// Start one message; return at once. @throws TransportError.
  virtual void isend(Message& message) = 0;
  virtual void irecv(Message& message) = 0;
  /// Moves pending messages on and finishes or fails those that are over. @throws TransportError.
  virtual void progress() = 0;
  /// Sends what isend() and irecv() have only written down: called once after a batch of them.
  /// @return true if a message is over now. @throws TransportError.
  [[nodiscard]] virtual bool flush() { return false; }

  /// Signalled when there may be something to do.
  [[nodiscard]] virtual Wakeup& wakeup() = 0;
  /// How a waiting thread waits: it polls for a moment, long enough for a small message between two
  /// idle cores, and then sleeps; it calls progress() after a nap although nobody has signalled,
  /// and each nap is longer than the one before, from the first to the longest.
  struct Naps {
    std::chrono::microseconds first;
    std::chrono::microseconds longest;
    std::chrono::microseconds poll_for{40};
  };
  [[nodiscard]] virtual Naps naps() const = 0;

  /// The group is done (empty `failure`) or has failed here; peers that still wait for this rank
  /// learn about it if the transport can tell them. Nothing is sent or received afterwards.
  virtual void leave(const std::string& failure) = 0;
  /// True if leave() takes back every pending message, so that their memory may be freed.
  [[nodiscard]] virtual bool leave_releases_memory() const = 0;

  /// What the other ranks must know before they can split; of the same size on all ranks.
  [[nodiscard]] virtual std::vector<std::uint8_t> prepare_split() { return {}; }
  /// A transport among `group.members`. Called by all ranks, after all have agreed to it.
  [[nodiscard]] virtual std::unique_ptr<Transport> split(const SplitGroup& group) = 0;
};

}  // namespace convoy::comm::internal
