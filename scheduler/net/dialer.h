// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "scheduler/net/connection.h"
#include "scheduler/net/peer_verifier.h"

namespace convoy::net {

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};

/// "hub.example.org:7443", "10.0.0.1:7443", "[::1]:7443". @throws ConfigError that names `what`.
/// @param lowest  port; 0 where one listens and any will do.
[[nodiscard]] HostPort parse_host_port(const std::string& text, const std::string& what,
                                       std::uint16_t lowest = 1);

struct DialerOptions {
  HostPort server;
  /// An HTTP proxy that is asked to CONNECT to the server; TLS goes through it from end to end.
  std::optional<HostPort> proxy = std::nullopt;
  Credentials own;
  std::filesystem::path authorities;  ///< ca.crt
  std::filesystem::path lists;        ///< ca.crl
  ConnectionLimits limits;
  /// How often CA and lists are read again while there is a connection, which ends when the server
  /// is not accepted any more. Larger: a revoked one is trusted for longer.
  std::chrono::milliseconds reload{5'000};
  /// Logs what ends soon of the certificate, the CA and the list, at once and each day.
  bool tells_expiry = true;
  /// Resolving, connecting and the proxy's answer, each.
  std::chrono::milliseconds connect{10'000};
};

/// A connection has not come about, or has been refused. Trying again later may help, unless
/// `is_final`.
class DialError : public std::runtime_error {
 public:
  DialError(const std::string& what, bool is_final)
      : std::runtime_error(what), is_final_(is_final) {}
  /// The other end is not who it should be, or this end's certificate is of no use.
  [[nodiscard]] bool is_final() const { return is_final_; }

 private:
  bool is_final_;
};

/// Dials a server, on a thread of its own, where all of a connection's calls run: heartbeats go out
/// whatever the rest of the process does. A server that is revoked meanwhile is hung up on, and so
/// is every server while CA or lists are missing, damaged or not current.
class Dialer {
 public:
  /// @throws ConfigError for certificates that cannot be used.
  explicit Dialer(DialerOptions options);
  /// Aborts the connection that is open.
  ~Dialer();
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  /// Waits until the handshake is over. Certificate, key, CA and lists are read anew each time. The
  /// user's calls begin after that; it is kept until on_closed(). One connection at a time. Any
  /// thread but the users'.
  /// @throws DialError that names the step (resolve, connect, proxy, handshake), address and
  /// reason.
  std::shared_ptr<Connection> dial(std::shared_ptr<ConnectionUser> user);
  /// Makes a dial() that waits throw; one that begins later is not touched. Any thread.
  void cancel();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::net
