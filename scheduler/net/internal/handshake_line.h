// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "scheduler/net/internal/admission.h"
#include "scheduler/net/internal/asio.h"

namespace convoy::net::internal {

/// A socket that was accepted, and from where.
struct Arrival {
  Socket socket;
  Tcp::endpoint peer;
};

/// Whose handshake is next. An address that has as many under way as it may have waits; those that
/// come later from elsewhere do not wait for it. Not thread-safe.
class HandshakeLine {
 public:
  HandshakeLine(std::size_t most, std::size_t most_per_address)
      : most_(most), addresses_(most_per_address) {}

  /// Whether one more may begin, from some address.
  [[nodiscard]] bool has_room() const { return under_way_ < most_; }

  void join(Arrival arrival);
  /// Who may begin now; it counts as under way until leave().
  [[nodiscard]] std::optional<Arrival> next();
  /// The handshake of someone whom next() has returned is over.
  void leave(const Tcp::endpoint& peer);
  /// Closes what waits.
  void clear() { waiting_.clear(); }

 private:
  std::size_t most_;
  Quota<boost::asio::ip::address> addresses_;
  std::size_t under_way_ = 0;
  std::deque<Arrival> waiting_;
};

}  // namespace convoy::net::internal
