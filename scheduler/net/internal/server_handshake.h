// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "scheduler/net/internal/asio.h"
#include "scheduler/net/internal/tls_stream.h"

namespace convoy::net::internal {

/// The server's side of a TLS handshake, on its socket's strand. What waits there shares it.
class ServerHandshake : public std::enable_shared_from_this<ServerHandshake> {
 public:
  /// Called once. @param problem  "": socket and tls can be taken.
  using Done = std::function<void(ServerHandshake&, const std::string& problem)>;

  ServerHandshake(Socket socket, SSL_CTX& context, std::chrono::milliseconds limit, Done done);

  void start();
  /// On the strand: ends it as a problem.
  void cancel(const std::string& why);

  [[nodiscard]] const Strand& strand() const { return strand_; }
  [[nodiscard]] Socket& socket() { return socket_; }
  [[nodiscard]] std::unique_ptr<TlsStream> take_tls() { return std::move(tls_); }

 private:
  void step();
  void wait(Socket::wait_type what);
  void fail(const std::string& problem);
  void drain();
  void finish(const std::string& problem);

  const Strand strand_;
  Socket socket_;
  std::unique_ptr<TlsStream> tls_;
  Timer timer_;
  std::chrono::milliseconds limit_;
  Done done_;
  std::string problem_;  // that there was; then the peer is read out, so that it gets our alert
  std::size_t drained_ = 0;
};

}  // namespace convoy::net::internal
