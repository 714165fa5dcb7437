// SPDX-License-Identifier: Apache-2.0
// How bytes come and go: each turn reads or writes all that the socket has or takes, and then waits
// for more.
#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>

#include <utility>

#include "base/log.h"
#include "scheduler/net/internal/asio_connection.h"
#include "scheduler/net/internal/socket_options.h"

namespace convoy::net::internal {
namespace {

/// After so many bytes other connections of this thread have their turn.
constexpr std::size_t kTurnBytes = std::size_t{4} << 20;

}  // namespace

void AsioConnection::wait_to_read() {
  if (std::exchange(waits_to_read_, true)) return;
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](ErrorCode) {
    self->waits_to_read_ = false;
    self->guarded([&] { self->read_some(); });
  });
}

void AsioConnection::wait_to_write() {
  if (std::exchange(waits_to_write_, true)) return;
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](ErrorCode) {
    self->waits_to_write_ = false;
    self->guarded([&] {
      if (std::exchange(self->read_needs_write_, false)) self->read_some();
      self->write_some();
    });
  });
}

void AsioConnection::read_some() {
  std::size_t left = kTurnBytes;
  while (state_ != State::kEnded) {
    const auto [outcome, bytes] = tls_->read(record_);
    if (outcome == TlsOutcome::kEnd) return on_peers_end();
    if (outcome == TlsOutcome::kFailed) return on_read_failure();
    if (outcome == TlsOutcome::kWantWrite) {
      read_needs_write_ = true;
      return wait_to_write();
    }
    if (outcome == TlsOutcome::kWantRead) break;
    heard_ = Clock::now();
    if (!take(std::span(record_).first(bytes))) break;
    if (left <= bytes) {  // TLS may hold more, of which the socket does not know
      return asio::post(socket_.get_executor(),
                        [self = shared_from_this()] { self->guarded([&] { self->read_some(); }); });
    }
    left -= bytes;
  }
  if (state_ == State::kEnded) return;
  if (std::exchange(write_needs_read_, false)) write_some();
  wait_to_read();
}

/// @return whether there is a connection to read from.
bool AsioConnection::take(std::span<const std::byte> bytes) {
  while (state_ == State::kOpen) {
    auto received = intake_.next(bytes, own_time());
    if (!received) break;
    take(std::move(*received));
  }
  return state_ != State::kEnded;
}

void AsioConnection::take(Received&& received) {
  if (const auto* chunk = std::get_if<Chunk>(&received)) {
    return call_user([&](ConnectionUser& user) { user.on_chunk(*chunk); });
  }
  if (const auto* in = std::get_if<ReceivedMessage>(&received)) {
    return call_user(
        [&](ConnectionUser& user) { user.on_message(in->message, in->id, in->answers); });
  }
  const auto& fault = std::get<Fault>(received);
  if (fault.ends) return refuse(fault.refusal, fault.answers);
  (void)send(fault.refusal, fault.answers);
}

void AsioConnection::on_peers_end() {
  if (state_ == State::kLingering) return end("");
  if (state_ == State::kClosing) {
    return end(queue_.empty() ? "" : "the other end closed before it had taken all");
  }
  if (const auto cut = intake_.finish()) return end(*cut);
  end("the other end has closed the connection");
}

void AsioConnection::on_read_failure() {
  if (state_ == State::kLingering) return end("");
  std::string why = tls_->problem();
  if (const auto cut = intake_.finish()) why += ": " + *cut;
  end(why);
}

void AsioConnection::queue_has_grown() {
  if (std::exchange(write_is_due_, true)) return;
  if (!waits_to_write_) taken_ = own_time();
  // Later, so that what is sent in one call goes out together.
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    self->write_is_due_ = false;
    self->guarded([&] { self->write_some(); });
  });
}

/// A peer that reads a little of what it asks for is never late.
void AsioConnection::check_queue() {
  if (queue_.bytes() <= limits_.queued_bytes) return;
  const std::string why =
      fmt::format("more than {} bytes wait to be sent: the other end asks for more than it reads",
                  limits_.queued_bytes);
  logger("net")->warn("{} ({}): {}", address_, peer_.name, why);
  end(why);
}

void AsioConnection::write_some() {
  if (state_ != State::kOpen && state_ != State::kClosing) return;
  if (waits_to_write_ || !write_problem_.empty()) return;
  const bool had_something = !queue_.empty();
  write_queue();
  if (!queue_.empty() || !write_problem_.empty()) return;
  if (state_ == State::kClosing) return say_end();
  if (had_something) call_user([](ConnectionUser& user) { user.on_drained(); });
}

void AsioConnection::write_queue() {
  std::size_t left = kTurnBytes;
  while (!queue_.empty()) {
    const auto [outcome, bytes] = tls_->write(queue_.front());
    if (outcome == TlsOutcome::kWantWrite) return wait_to_write();
    if (outcome == TlsOutcome::kWantRead) {
      write_needs_read_ = true;
      return;
    }
    if (outcome != TlsOutcome::kDone) {
      // Why the peer has gone may stand in what it has sent: a refusal, a TLS alert.
      write_problem_ = tls_->problem();
      leaving_ = own_time();
      return;
    }
    queue_.pop(bytes);
    taken_ = own_time();
    if (left <= bytes) return queue_has_grown();
    left -= bytes;
  }
}

/// Linux says that a socket can be written when a third of its buffer is free. That may be a
/// megabyte, for which a slow link takes longer than nothing may happen.
void AsioConnection::look_at_socket() {
  const std::size_t left = unacknowledged_bytes(socket_.native_handle());
  if (tls_->written() < acknowledged_bytes_ + left + limits_.progress_bytes) return;
  acknowledged_bytes_ = tls_->written() - left;
  acknowledged_ = Clock::now();
  taken_ = own_time();
}

void AsioConnection::say_end() {
  const auto outcome = tls_->say_end();
  if (outcome == TlsOutcome::kWantWrite) return wait_to_write();
  if (outcome == TlsOutcome::kFailed) return end("");
  ErrorCode ignored;
  (void)socket_.shutdown(Socket::shutdown_send, ignored);
  state_ = State::kLingering;
  leaving_ = own_time();
}

}  // namespace convoy::net::internal
