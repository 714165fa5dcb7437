// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "comm/internal/scratch_pool.h"
#include "comm/internal/transport.h"

namespace convoy::comm::local {

/// The mailboxes of the ranks of one communicator; any thread. A message waits in the mailbox of
/// the rank that receives it until both ends are there; then whoever came second copies it,
/// straight from the sender's memory to the receiver's. Both happen under the mailbox's mutex, so
/// that a message which has been taken back is touched by nobody. No two mutexes are held at a
/// time.
class Group {
 public:
  /// @param shares_memory  sums go through memory that all ranks see, and not in messages.
  explicit Group(int size, bool shares_memory = false);

  [[nodiscard]] int size() const { return static_cast<int>(boxes_.size()); }
  void send(int from, internal::Message& message);
  void receive(int rank, internal::Message& message);
  /// Takes all messages of `rank` back; those who wait for it, now or later, learn `why`.
  void leave(int rank, const std::string& why);
  /// Empty unless memory is shared.
  [[nodiscard]] std::span<std::byte> memory() { return memory_; }
  [[nodiscard]] internal::Wakeup& wakeup(int rank) { return box(rank).wakeup; }
  /// The group that the `split`-th split gives the ranks of `color`; the same for all of them.
  [[nodiscard]] std::shared_ptr<Group> child(int split, int color, int size);

 private:
  // A message that nobody has asked for yet. A small one is copied, and its sender is free.
  struct Parcel {
    int from = 0;
    internal::Route route;
    internal::Scratch copy;
    internal::Message* message = nullptr;  // null when copied

    [[nodiscard]] std::span<const std::byte> bytes() const {
      return message != nullptr ? message->source : copy.bytes();
    }
  };
  struct Mailbox {
    std::mutex mutex;
    std::list<internal::Message*> awaited;
    std::list<Parcel> arrived;
    std::map<int, std::string> gone;  // ranks that have left, perhaps the owner itself, and why
    internal::Wakeup wakeup;
  };
  struct Child {
    std::shared_ptr<Group> group;
    int not_yet_taken = 0;
  };

  [[nodiscard]] Mailbox& box(int rank) { return boxes_[static_cast<std::size_t>(rank)]; }
  // The next need the mailbox's mutex. They return true if something was matched or dropped.
  bool hand_over(Mailbox& box, int from, internal::Message& message);
  static bool pick_up(Mailbox& box, internal::Message& message, std::optional<int>& sender);
  void leave_foreign(int rank, int other, const std::string& why);
  void leave_own(int rank, const std::string& why);

  struct Page {
    alignas(4096) std::array<std::byte, 4096> bytes;
  };

  std::vector<Page> pages_;
  std::span<std::byte> memory_;    // in pages_
  internal::ScratchPool scratch_;  // for copies
  std::deque<Mailbox> boxes_;
  std::mutex children_mutex_;
  std::map<std::pair<int, int>, Child> children_;  // by split and color, until all have come
};

/// One rank's end of a group.
[[nodiscard]] std::unique_ptr<internal::Transport> make_transport(std::shared_ptr<Group> group,
                                                                  int rank);

}  // namespace convoy::comm::local
