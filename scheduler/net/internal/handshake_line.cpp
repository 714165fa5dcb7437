// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/handshake_line.h"

#include <algorithm>
#include <utility>

namespace convoy::net::internal {

void HandshakeLine::join(Arrival arrival) { waiting_.push_back(std::move(arrival)); }

std::optional<Arrival> HandshakeLine::next() {
  if (!has_room()) return std::nullopt;
  const auto may_begin = [this](const Arrival& arrival) {
    return addresses_.has_room(network_of(arrival.peer.address()));
  };
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), may_begin);
  if (found == waiting_.end()) return std::nullopt;
  Arrival arrival = std::move(*found);
  waiting_.erase(found);
  (void)addresses_.enter(network_of(arrival.peer.address()));
  ++under_way_;
  return arrival;
}

void HandshakeLine::leave(const Tcp::endpoint& peer) {
  addresses_.leave(network_of(peer.address()));
  --under_way_;
}

}  // namespace convoy::net::internal
