// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <cstdint>
#include <functional>
#include <memory>

#include "scheduler/net/internal/engine.h"
#include "scheduler/net/internal/log_limit.h"

namespace convoy::net::internal {

/// Accepts sockets, each with a strand of its own, for as long as its owner wants more. When the
/// system has no descriptor or memory left it waits a moment instead of trying for ever.
class AcceptLoop {
 public:
  struct Calls {
    std::function<bool()> wants_more;
    std::function<void(Socket, const Tcp::endpoint&)> accepted;
  };

  /// Listens. @throws boost::system::system_error.
  AcceptLoop(Engine& engine, const Tcp::endpoint& at, Calls calls);

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Asks wants_more() again, at the start too. Any thread.
  void go_on();
  /// Any thread.
  void stop();

 private:
  void next();
  void on_accept(ErrorCode error, Socket& socket, const Tcp::endpoint& peer);
  void pause(const ErrorCode& error);

  Engine& engine_;
  Calls calls_;
  asio::basic_socket_acceptor<Tcp, Strand> acceptor_;
  Timer timer_;
  std::uint16_t port_ = 0;
  LogLimit pauses_{1};
  bool busy_ = false;  // accepting or pausing
  bool stopped_ = false;
};

}  // namespace convoy::net::internal
