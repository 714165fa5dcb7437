// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/server_handshake.h"

#include <spdlog/fmt/chrono.h>
#include <spdlog/fmt/fmt.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <exception>
#include <utility>

namespace convoy::net::internal {
namespace {

/// How long, and how many bytes, a refused peer is read for. A socket that is closed with unread
/// bytes resets the connection, and the peer may lose the alert that tells it why.
constexpr std::chrono::milliseconds kLinger{500};
constexpr std::size_t kMaxDrained = std::size_t{64} << 10;

}  // namespace

ServerHandshake::ServerHandshake(Socket socket, SSL_CTX& context, std::chrono::milliseconds limit,
                                 Done done)
    : strand_(socket.get_executor()),
      socket_(std::move(socket)),
      tls_(std::make_unique<TlsStream>(context, socket_.native_handle(), TlsStream::End::kServer)),
      timer_(strand_),
      limit_(limit),
      done_(std::move(done)) {}

void ServerHandshake::start() {
  timer_.expires_after(limit_);
  timer_.async_wait([self = shared_from_this()](ErrorCode error) {
    if (!error) self->cancel(fmt::format("it was not over within {}", self->limit_));
  });
  step();
}

void ServerHandshake::cancel(const std::string& why) { finish(problem_.empty() ? why : problem_); }

void ServerHandshake::step() {
  if (!done_) return;
  try {
    if (!problem_.empty()) return drain();
    switch (tls_->handshake()) {
      case TlsOutcome::kDone:
        return finish("");
      case TlsOutcome::kWantRead:
        return wait(Socket::wait_read);
      case TlsOutcome::kWantWrite:
        return wait(Socket::wait_write);
      default:
        return fail(tls_->problem());
    }
  } catch (const std::exception& error) {
    finish(error.what());
  }
}

void ServerHandshake::wait(Socket::wait_type what) {
  socket_.async_wait(what, [self = shared_from_this()](ErrorCode) { self->step(); });
}

void ServerHandshake::fail(const std::string& problem) {
  problem_ = problem;
  ErrorCode ignored;
  (void)socket_.shutdown(Socket::shutdown_send, ignored);
  timer_.expires_after(kLinger);
  timer_.async_wait([self = shared_from_this()](ErrorCode error) {
    if (!error) self->finish(self->problem_);
  });
  drain();
}

void ServerHandshake::drain() {
  std::array<std::byte, 4096> bytes;
  ErrorCode error;
  while (!error && drained_ < kMaxDrained) {
    drained_ += socket_.read_some(asio::buffer(bytes.data(), bytes.size()), error);
  }
  if (error == asio::error::would_block) return wait(Socket::wait_read);
  finish(problem_);
}

void ServerHandshake::finish(const std::string& problem) {
  const auto done = std::exchange(done_, nullptr);
  if (!done) return;
  timer_.cancel();
  done(*this, problem);
  ErrorCode ignored;
  (void)socket_.close(ignored);  // what has been taken out is not in here any more
}

}  // namespace convoy::net::internal
