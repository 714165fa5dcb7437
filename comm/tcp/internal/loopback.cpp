// SPDX-License-Identifier: Apache-2.0
#include "comm/tcp/internal/loopback.h"

#include <algorithm>

#include "comm/tcp/internal/frame.h"

namespace convoy::comm::tcp {

using internal::Message;

void Loopback::send(Message& message) {
  if (Message* to = in_.match(message.route)) {
    deliver(message.source, *to);
    return message.finish(message.source.size());
  }
  const bool is_first = std::ranges::none_of(
      waiting_, [&](const Message* other) { return other->route == message.route; });
  if (message.source.size() > kShortBytes || !is_first) return waiting_.push_back(&message);
  in_.keep(message.route, message.source);
  message.finish(message.source.size());
}

void Loopback::receive(Message& message) {
  if (in_.take_early(message)) return;
  const auto from = std::ranges::find_if(
      waiting_, [&](const Message* other) { return other->route == message.route; });
  if (from == waiting_.end()) return in_.expect(message);
  deliver((*from)->source, message);
  (*from)->finish((*from)->source.size());
  waiting_.erase(from);
}

void Loopback::clear() {
  in_.clear();
  waiting_.clear();
}

}  // namespace convoy::comm::tcp
