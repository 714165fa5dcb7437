// SPDX-License-Identifier: Apache-2.0
#include "comm/tcp/internal/outbox.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

namespace convoy::comm::tcp {

using internal::Message;
using internal::TransportError;

namespace {

// Streams ask for a few messages at a time; this is far beyond.
constexpr std::size_t kMostGrants = 4096;

constexpr int kGrantPriority = std::numeric_limits<int>::min();

FrameHeader header_for(const internal::Route& route, FrameHeader::Kind kind, std::size_t bytes) {
  return {.kind = kind,
          .channel = static_cast<std::uint8_t>(route.channel),
          .tag = static_cast<std::uint16_t>(route.tag),
          .bytes = bytes};
}

iovec part(const void* data, std::size_t bytes) { return {const_cast<void*>(data), bytes}; }

}  // namespace

void Outbox::enqueue(const Frame& frame) {
  // Nothing goes into the middle of a frame.
  const auto begin = frames_.begin() + (sent_of_first_ > 0 ? 1 : 0);
  const auto at = std::upper_bound(begin, frames_.end(), frame, [](const Frame& a, const Frame& b) {
    return a.priority < b.priority;
  });
  frames_.insert(at, frame);
}

void Outbox::push(Message& message) {
  enqueue({header_for(message.route, FrameHeader::Kind::kData, message.source.size()),
           message.source, &message, message.priority});
}

void Outbox::send(Message& message) {
  const Key key{message.route.channel, message.route.tag};
  const auto found = routes_.find(key);
  if (!message.is_expected && (found == routes_.end() || found->second.waiting.empty())) {
    return push(message);
  }
  Route& route = routes_[key];
  route.waiting.push_back(&message);
  release(route);
  if (route.waiting.empty() && route.grants == 0) routes_.erase(key);
}

void Outbox::accept_grant(const internal::Route& from) {
  const Key key{from.channel, from.tag};
  Route& route = routes_[key];
  if (++route.grants > kMostGrants) {
    throw TransportError("rank " + std::to_string(from.peer) + " asks for messages without end");
  }
  release(route);
  if (route.waiting.empty() && route.grants == 0) routes_.erase(key);
}

void Outbox::release(Route& route) {
  while (!route.waiting.empty()) {
    Message& next = *route.waiting.front();
    if (next.is_expected) {
      if (route.grants == 0) return;
      --route.grants;
    }
    route.waiting.pop_front();
    push(next);
  }
}

void Outbox::grant(const internal::Route& route) {
  enqueue({header_for(route, FrameHeader::Kind::kGrant, 0), {}, nullptr, kGrantPriority});
}

void Outbox::leave(const std::string& reason) {
  routes_.clear();
  frames_.resize(sent_of_first_ > 0 ? 1 : 0);
  for (Frame& frame : frames_) frame.message = nullptr;
  reason_ = reason.substr(0, kMaxReasonBytes);
  frames_.push_back({header_for({}, FrameHeader::Kind::kLeave, reason_.size()),
                     std::as_bytes(std::span(reason_)), nullptr});
}

std::size_t Outbox::gather(std::array<iovec, 2 * kFramesPerWrite>& parts) {
  std::size_t count = 0;
  std::size_t skip = sent_of_first_;
  for (auto frame = frames_.begin(); frame != frames_.end() && count < parts.size(); ++frame) {
    const auto* header = reinterpret_cast<const std::byte*>(&frame->header);
    const std::size_t of_header = std::min(skip, sizeof(FrameHeader));
    const std::size_t of_payload = skip - of_header;
    parts[count++] = part(header + of_header, sizeof(FrameHeader) - of_header);
    parts[count++] = part(frame->payload.data() + of_payload, frame->payload.size() - of_payload);
    skip = 0;
  }
  return count;
}

std::size_t Outbox::retire(std::size_t written) {
  std::size_t over = 0;
  sent_of_first_ += written;
  while (!frames_.empty() && sent_of_first_ >= frames_.front().size()) {
    const Frame& frame = frames_.front();
    sent_of_first_ -= frame.size();
    if (frame.message != nullptr) {
      frame.message->finish(frame.payload.size());
      ++over;
    }
    frames_.pop_front();
  }
  return over;
}

std::size_t Outbox::write(const Descriptor& socket) {
  std::size_t over = 0;
  while (!frames_.empty()) {
    std::array<iovec, 2 * kFramesPerWrite> parts;
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = gather(parts);
    const ssize_t written = ::sendmsg(socket.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) break;
    if (written < 0) throw TransportError(std::strerror(errno));
    over += retire(static_cast<std::size_t>(written));
  }
  return over;
}

void Outbox::fail_all(const std::string& why) {
  for (const Frame& frame : frames_) {
    if (frame.message != nullptr) frame.message->fail(why, true);
  }
  for (const auto& [key, route] : routes_) {
    for (Message* message : route.waiting) message->fail(why, true);
  }
  clear();
}

void Outbox::clear() {
  frames_.clear();
  routes_.clear();
}

}  // namespace convoy::comm::tcp
