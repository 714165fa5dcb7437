// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "comm/tcp/internal/descriptor.h"
#include "comm/tcp/internal/frame.h"

namespace convoy::comm::tcp {

/// What is on its way to one peer, the most urgent first, and the expected messages that it has not
/// asked for yet. Messages of one priority, and so those of one route, never overtake each other;
/// grants overtake everything that is not half sent.
class Outbox {
 public:
  void send(internal::Message& message);
  /// Tells the peer that one more expected message of this route may come.
  void grant(const internal::Route& route);
  /// The peer has granted one. @throws TransportError for more grants than anybody can use.
  void accept_grant(const internal::Route& route);
  /// The last frame; what waits before it is forgotten, but for the rest of one half sent, whose
  /// memory is read until write() or clear(). Finishes no message any more.
  void leave(const std::string& reason);

  /// Writes as much as the socket takes. @return how many messages are over now.
  /// @throws TransportError with the system's own text.
  std::size_t write(const Descriptor& socket);
  [[nodiscard]] bool empty() const { return frames_.empty(); }

  void fail_all(const std::string& why);
  void clear();

 private:
  struct Frame {
    FrameHeader header;
    std::span<const std::byte> payload;
    internal::Message* message = nullptr;  // over when the frame is gone; null for others
    int priority = 0;

    [[nodiscard]] std::size_t size() const { return sizeof header + payload.size(); }
  };
  struct Route {
    std::deque<internal::Message*> waiting;  // for a grant, or behind one that does
    std::size_t grants = 0;
  };
  using Key = std::pair<internal::Channel, int>;

  static constexpr std::size_t kFramesPerWrite = 16;

  void enqueue(const Frame& frame);
  void push(internal::Message& message);
  void release(Route& route);
  std::size_t gather(std::array<iovec, 2 * kFramesPerWrite>& parts);
  std::size_t retire(std::size_t written);

  std::deque<Frame> frames_;
  std::size_t sent_of_first_ = 0;
  std::map<Key, Route> routes_;
  std::string reason_;
};

}  // namespace convoy::comm::tcp
