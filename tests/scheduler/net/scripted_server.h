// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/net/listener.h"
#include "tests/scheduler/net/federation.h"

namespace convoy::tests {

/// What a server says to a message; nothing: it says nothing.
using Script = std::function<std::optional<net::Message>(const net::Message& heard)>;

/// Listens on 127.0.0.1 with a server's certificate, welcomes everybody who says Hello, and answers
/// all else by a script, which is called on the listener's threads.
class ScriptedServer {
 public:
  ScriptedServer(Federation& federation, Script script);

  [[nodiscard]] std::uint16_t port() const { return listener_->port(); }
  /// "127.0.0.1:PORT".
  [[nodiscard]] std::string address() const;
  /// Everything that has come on all connections.
  [[nodiscard]] std::vector<net::Message> heard() const;
  void stop() { listener_->stop(); }
  void reload_lists() { (void)listener_->reload_lists(); }

 private:
  struct Shared {
    Script script;
    mutable std::mutex mutex;
    std::vector<net::Message> heard;
  };
  class User;

  std::shared_ptr<Shared> shared_;  // with the users of connections
  std::unique_ptr<net::Listener> listener_;
};

}  // namespace convoy::tests
