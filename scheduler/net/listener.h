// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "scheduler/net/connection.h"
#include "scheduler/net/peer_verifier.h"

namespace convoy::net {

struct ListenerOptions {
  std::string host = "0.0.0.0";  ///< an address of this machine
  std::uint16_t port = 0;        ///< 0: any free one
  Credentials own;
  PeerVerifier::Options peers;
  ConnectionLimits limits;
  std::size_t threads = 2;
  std::size_t max_connections = 1024;  ///< of peers whose handshake is over
  std::size_t max_handshakes = 64;     ///< that are under way; more wait in the system's queue
  std::size_t max_handshakes_per_address = 8;  ///< under way; more wait, and nobody else with them
  std::size_t max_connections_per_address = 256;  ///< handshakes under way included
  /// Of one certificate's name and role. A site that comes back has two until the server has heard
  /// its Join. Larger: a member may occupy more.
  std::size_t max_connections_per_name = 4;
};

/// Accepts the connections of sites and operators, on a few threads of its own. What is refused is
/// logged with reason and address; of many refusals in a minute only how many there were. What ends
/// soon of the certificate, the CA and the list is logged at the start and each day.
class Listener {
 public:
  /// Called when a peer's handshake is over, where the user's calls run; it must not use the
  /// connection before it returns. The connection keeps the user until on_closed(). Null: the peer
  /// is refused.
  using Accept = std::function<std::shared_ptr<ConnectionUser>(std::shared_ptr<Connection>)>;

  /// Listens from here on. @throws ConfigError for addresses and certificates that cannot be used;
  /// std::runtime_error where another socket has the port, which may be free again later.
  Listener(ListenerOptions options, Accept accept);
  /// stop().
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::size_t connections() const;

  /// Reads CA and revocation list again and ends the connections of those that are refused by now;
  /// logs what ends soon. @return what is wrong with the files. Any thread.
  std::optional<std::string> reload_lists();

  /// Accepts nobody any more, closes what is open and waits until every user has had its
  /// on_closed(); after `patience` connections are aborted. Any thread but the users'.
  void stop(std::chrono::milliseconds patience = std::chrono::milliseconds(2000));

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::net
