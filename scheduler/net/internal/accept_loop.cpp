// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/accept_loop.h"

#include <boost/asio/ip/v6_only.hpp>
#include <utility>

#include "base/log.h"

namespace convoy::net::internal {
namespace {

constexpr std::chrono::milliseconds kPause{200};

/// A peer that was gone before it was accepted; accept() may say what became of its connection.
bool is_of_one_peer(const ErrorCode& error) {
  namespace errc = boost::system::errc;
  return error == errc::connection_aborted || error == errc::protocol_error ||
         error == errc::interrupted || error == errc::network_down ||
         error == errc::network_unreachable || error == errc::host_unreachable ||
         error == errc::operation_not_supported || error == errc::no_protocol_option ||
         error == errc::timed_out || error == errc::operation_not_permitted;
}

}  // namespace

AcceptLoop::AcceptLoop(Engine& engine, const Tcp::endpoint& at, Calls calls)
    : engine_(engine),
      calls_(std::move(calls)),
      acceptor_(engine.new_strand()),
      timer_(acceptor_.get_executor()) {
  acceptor_.open(at.protocol());
  acceptor_.set_option(asio::socket_base::reuse_address(true));
  // "::" is every address of this machine, as "0.0.0.0" is for a program without IPv6.
  if (at.address().is_v6() && at.address().is_unspecified()) {
    acceptor_.set_option(asio::ip::v6_only(false));
  }
  acceptor_.bind(at);
  acceptor_.listen();
  port_ = acceptor_.local_endpoint().port();
}

void AcceptLoop::go_on() {
  asio::post(acceptor_.get_executor(), [this] { next(); });
}

void AcceptLoop::stop() {
  asio::post(acceptor_.get_executor(), [this] {
    stopped_ = true;
    timer_.cancel();
    ErrorCode ignored;
    (void)acceptor_.close(ignored);
  });
}

void AcceptLoop::next() {
  if (busy_ || stopped_ || !calls_.wants_more()) return;
  busy_ = true;
  struct Pending {
    Socket socket;
    Tcp::endpoint peer;
  };
  auto pending = std::make_shared<Pending>(Pending{Socket(engine_.new_strand()), {}});
  acceptor_.async_accept(pending->socket, pending->peer, [this, pending](ErrorCode error) {
    on_accept(error, pending->socket, pending->peer);
  });
}

void AcceptLoop::on_accept(ErrorCode error, Socket& socket, const Tcp::endpoint& peer) {
  busy_ = false;
  if (stopped_) return;
  if (error && !is_of_one_peer(error)) return pause(error);
  if (!error) calls_.accepted(std::move(socket), peer);
  next();
}

void AcceptLoop::pause(const ErrorCode& error) {
  const auto now = Clock::now();
  (void)pauses_.take_left_out(now);
  if (pauses_.admit("", now)) {
    logger("net")->error("no connection can be accepted for now: {}", error.message());
  }
  busy_ = true;
  timer_.expires_after(kPause);
  timer_.async_wait([this](ErrorCode) {
    busy_ = false;
    next();
  });
}

}  // namespace convoy::net::internal
