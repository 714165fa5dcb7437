// SPDX-License-Identifier: Apache-2.0
#include "comm/tcp/internal/connection.h"

#include <poll.h>
#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace convoy::comm::tcp {

using internal::Channel;
using internal::Message;
using internal::Route;
using internal::TransportError;

namespace {

// Several short messages, or the beginning of a long one, at a time.
constexpr std::size_t kBufferBytes = std::size_t{32} << 10;
static_assert(kBufferBytes >= kShortBytes + sizeof(FrameHeader), "a short message must fit");
static_assert(kBufferBytes >= kMaxReasonBytes + sizeof(FrameHeader), "a reason must fit");

// A rank that fails in the middle of a long message waits so long for a peer to take the rest of it
// and the reason.
constexpr std::chrono::milliseconds kFarewell{200};

// Buffers full of unread data that a leaving rank throws away.
constexpr int kDiscards = 256;

// Of a long message so much comes before the waiting thread is woken: every time costs some 10 us
// of a core that computes.
constexpr std::size_t kWorthWaking = std::size_t{256} << 10;

// After so much the other peers get their turn.
constexpr std::size_t kReadAtATime = std::size_t{1} << 20;

}  // namespace

void check_frame(const FrameHeader& header, int peer) {
  using Kind = FrameHeader::Kind;
  std::size_t most = 0;
  if (header.kind == Kind::kData) most = kMaxMessageBytes;
  if (header.kind == Kind::kLeave) most = kMaxReasonBytes;
  if (header.magic == FrameHeader::kMagic && header.kind <= Kind::kLeave &&
      header.channel <= static_cast<std::uint8_t>(Channel::kUser) && header.tag < internal::kTags &&
      header.bytes <= most) {
    return;
  }
  throw TransportError(fmt::format("rank {} has sent something that is no message", peer));
}

Connection::Connection(Descriptor socket, int peer, internal::ScratchPool& scratch)
    : socket_(std::move(socket)), peer_(peer), in_(scratch), buffer_(new std::byte[kBufferBytes]) {}

void Connection::send(Message& message) {
  if (!gone_.empty()) return message.fail(gone_, true);
  out_.send(message);
}

void Connection::receive(Message& message) {
  if (in_.take_early(message)) return;
  if (!gone_.empty()) return message.fail(gone_, true);
  in_.expect(message);
  if (message.is_expected) out_.grant(message.route);
}

void Connection::read() {
  try {
    drained_ = false;
    for (std::size_t total = 0; is_open() && !drained_ && total < kReadAtATime;) {
      total += direct_ != nullptr ? read_into_message() : read_into_buffer();
    }
    choose_when_to_wake();
  } catch (const TransportError& error) {
    break_off(error.what());
  }
}

void Connection::choose_when_to_wake() {
  const std::size_t rest = direct_ != nullptr ? direct_->target.size() - direct_got_ : 1;
  const int bytes = static_cast<int>(std::min(rest, kWorthWaking));
  if (!is_open() || bytes == wake_at_bytes_) return;
  wake_at_bytes_ = bytes;
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

std::size_t Connection::receive_bytes(std::span<std::byte> room) {
  const ssize_t bytes = ::recv(socket_.get(), room.data(), room.size(), MSG_DONTWAIT);
  drained_ = bytes < static_cast<ssize_t>(room.size());
  if (bytes > 0) return static_cast<std::size_t>(bytes);
  if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  if (bytes < 0) {
    break_off(
        fmt::format("the connection with rank {} has failed: {}", peer_, std::strerror(errno)));
  } else {
    const bool inside = direct_ != nullptr || filled_ > 0;
    break_off(fmt::format("rank {} has closed the connection{}", peer_,
                          inside ? " in the middle of a message" : ""));
  }
  return 0;
}

std::size_t Connection::read_into_buffer() {
  const std::size_t bytes = receive_bytes({&buffer_[filled_], kBufferBytes - filled_});
  filled_ += bytes;
  if (bytes > 0) take_frames();
  return bytes;
}

std::size_t Connection::read_into_message() {
  const std::size_t bytes = receive_bytes(direct_->target.subspan(direct_got_));
  direct_got_ += bytes;
  finish_if_complete();
  return bytes;
}

void Connection::finish_if_complete() {
  if (direct_ == nullptr || direct_got_ < direct_->target.size()) return;
  std::exchange(direct_, nullptr)->finish(direct_got_);
}

void Connection::take_frames() {
  std::size_t at = 0;
  while (is_open() && direct_ == nullptr && take_frame(at)) {
  }
  if (at == 0) return;
  filled_ -= at;
  std::memmove(buffer_.get(), &buffer_[at], filled_);
}

// @return false when the rest of the frame has still to come.
bool Connection::take_frame(std::size_t& at) {
  if (filled_ - at < sizeof(FrameHeader)) return false;
  FrameHeader header;
  std::memcpy(&header, &buffer_[at], sizeof header);
  check_frame(header, peer_);
  if (header.kind == FrameHeader::Kind::kData) return take_data(header, at);
  if (filled_ - at < sizeof header + header.bytes) return false;
  at += sizeof header;
  if (header.kind == FrameHeader::Kind::kGrant) {
    out_.accept_grant({peer_, static_cast<Channel>(header.channel), header.tag});
  } else {
    take_leave({&buffer_[at], header.bytes});
  }
  at += header.bytes;
  return true;
}

bool Connection::take_data(const FrameHeader& header, std::size_t& at) {
  const Route route{peer_, static_cast<Channel>(header.channel), header.tag};
  const std::size_t present = std::min(filled_ - at - sizeof header, header.bytes);
  const bool is_short = header.bytes <= kShortBytes;
  if (is_short && present < header.bytes) return false;
  const std::span<const std::byte> bytes(&buffer_[at] + sizeof header, present);
  at += sizeof header + present;
  Message* message = in_.match(route);
  if (is_short) {
    message != nullptr ? deliver(bytes, *message) : in_.keep(route, bytes);
    return true;
  }
  if (message == nullptr || message->target.size() != header.bytes) {
    const auto why =
        fmt::format("rank {} has sent {} bytes that nobody asked for", peer_, header.bytes);
    if (message != nullptr) message->fail(why, true);
    throw TransportError(why);
  }
  if (present > 0) std::memcpy(message->target.data(), bytes.data(), present);
  direct_ = message;
  direct_got_ = present;
  finish_if_complete();
  return true;
}

void Connection::take_leave(std::span<const std::byte> reason) {
  const std::string text(reinterpret_cast<const char*>(reason.data()), reason.size());
  break_off(fmt::format("rank {} has left the communicator{}", peer_,
                        text.empty() ? "" : " (" + text + ")"));
}

bool Connection::write() {
  if (!wants_to_write()) return false;
  try {
    return out_.write(socket_) > 0;
  } catch (const TransportError& error) {
    // Perhaps the peer has said why before it closed.
    read();
    break_off(fmt::format("the connection with rank {} has failed: {}", peer_, error.what()));
    return true;
  }
}

void Connection::break_off(const std::string& why) {
  if (!gone_.empty()) return;
  gone_ = why;
  socket_.close();
  in_.fail_awaited(why);
  out_.fail_all(why);
  if (direct_ != nullptr) std::exchange(direct_, nullptr)->fail(why, true);
}

// The reason comes after a message that is half sent, and then waits a moment for room.
void Connection::say_farewell(const std::string& failure) {
  out_.leave(failure);
  const auto until = std::chrono::steady_clock::now() + kFarewell;
  try {
    for (;;) {
      out_.write(socket_);
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      if (out_.empty() || left.count() <= 0) return;
      pollfd room{.fd = socket_.get(), .events = POLLOUT, .revents = 0};
      ::poll(&room, 1, static_cast<int>(left.count()));
    }
  } catch (const TransportError&) {
    // The peer has gone before.
  }
}

void Connection::leave(const std::string& failure) {
  if (is_open()) say_farewell(failure);
  // Closing with unread data would take back what the peer has not read yet.
  for (int i = 0; i < kDiscards && is_open(); ++i) {
    if (::recv(socket_.get(), buffer_.get(), kBufferBytes, MSG_DONTWAIT) <= 0) break;
  }
  gone_ = "this rank has left the communicator";
  socket_.close();
  in_.clear();
  out_.clear();
  direct_ = nullptr;
}

}  // namespace convoy::comm::tcp
