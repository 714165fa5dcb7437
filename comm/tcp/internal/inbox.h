// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <span>
#include <string>

#include "comm/internal/scratch_pool.h"
#include "comm/internal/transport.h"

namespace convoy::comm::tcp {

/// The messages from one peer: those that are asked for and those that came before.
class Inbox {
 public:
  /// @param scratch  keeps what comes early.
  explicit Inbox(internal::ScratchPool& scratch) : scratch_(&scratch) {}

  /// Gives `message` what has come for it already. @return false: it has to wait.
  bool take_early(internal::Message& message);
  void expect(internal::Message& message) {
    queues_[key_of(message.route)].awaited.push_back(&message);
  }
  /// The message that is to get what comes now, which then waits no longer; null if there is none.
  [[nodiscard]] internal::Message* match(const internal::Route& route);
  /// Keeps a message that nobody has asked for. @throws TransportError if that becomes too much.
  void keep(const internal::Route& route, std::span<const std::byte> bytes);
  /// Nothing more will come.
  void fail_awaited(const std::string& why);
  void clear() { queues_.clear(); }

 private:
  using Key = std::pair<internal::Channel, int>;
  struct Queue {
    std::deque<internal::Message*> awaited;
    std::deque<internal::Scratch> early;
  };

  static Key key_of(const internal::Route& route) { return {route.channel, route.tag}; }
  void forget_if_empty(std::map<Key, Queue>::iterator at);

  internal::ScratchPool* scratch_;
  std::map<Key, Queue> queues_;
  std::size_t early_bytes_ = 0;
};

/// Copies as much as fits and finishes the message.
void deliver(std::span<const std::byte> bytes, internal::Message& to);

}  // namespace convoy::comm::tcp
