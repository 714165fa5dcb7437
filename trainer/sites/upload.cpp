// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/upload.h"

#include <utility>

namespace convoy::trainer {
namespace {

/// Of chunks that wait for the network; two keep it busy.
constexpr std::size_t kQueuedBytes = std::size_t{2} << 20;

}  // namespace

Upload::Upload(OfferedUpdate offered) : offered_(std::move(offered)) {}

void Upload::announce(net::Connection& connection) {
  withdraw();
  stream_ = connection.send(offered_.begin);
}

void Upload::withdraw() {
  stream_ = 0;
  sender_.reset();
  is_ended_ = false;
}

std::optional<net::StreamError> Upload::allow(const net::StreamOffset& offset) {
  if (sender_) return sender_->allow(offset.offset, offset.limit);
  sender_.emplace(offered_.begin.bytes, offered_.source, offered_.begin.sha256);
  return sender_->start(offset.offset, offset.limit);
}

bool Upload::pump(net::Connection& connection) {
  if (!sender_ || is_ended_) return false;
  bool sent = false;
  while (connection.queued_bytes() < kQueuedBytes) {
    const auto piece = sender_->next();
    if (!piece) break;
    connection.send_chunk({.stream = stream_, .offset = piece->offset, .bytes = piece->bytes});
    sent = true;
  }
  if (!sender_->at_end()) return sent;
  (void)connection.send(net::StreamEnd{.stream = stream_, .sha256 = offered_.begin.sha256});
  is_ended_ = true;
  return true;
}

}  // namespace convoy::trainer
