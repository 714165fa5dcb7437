// SPDX-License-Identifier: Apache-2.0
#include "tests/scheduler/net/scripted_server.h"

#include <utility>

namespace convoy::tests {

class ScriptedServer::User final : public net::ConnectionUser {
 public:
  User(std::shared_ptr<net::Connection> connection, std::shared_ptr<Shared> shared)
      : connection_(std::move(connection)), shared_(std::move(shared)) {}

  void on_message(const net::Message& message, std::uint64_t id, std::uint64_t) override {
    {
      const std::lock_guard lock(shared_->mutex);
      shared_->heard.push_back(message);
    }
    auto answer = shared_->script(message);
    if (!answer && std::holds_alternative<net::Hello>(message)) {
      answer = net::Welcome{.server = "hub", .run = "run-7"};
    }
    if (answer) (void)connection_->send(*answer, id);
    if (std::holds_alternative<net::Goodbye>(message)) connection_->close();
  }
  void on_chunk(const net::Chunk&) override {}
  void on_closed(const std::string&) override { connection_.reset(); }

 private:
  std::shared_ptr<net::Connection> connection_;  // shared with the listener
  std::shared_ptr<Shared> shared_;
};

ScriptedServer::ScriptedServer(Federation& federation, Script script)
    : shared_(std::make_shared<Shared>()) {
  shared_->script = std::move(script);
  net::ListenerOptions options;
  options.host = "127.0.0.1";
  options.own = federation.member("hub", net::Role::kServer);
  options.peers = federation.accepting({net::Role::kSite, net::Role::kOperator});
  listener_ = std::make_unique<net::Listener>(
      options, [shared = shared_](std::shared_ptr<net::Connection> connection) {
        return std::make_shared<User>(std::move(connection), shared);
      });
}

std::string ScriptedServer::address() const { return "127.0.0.1:" + std::to_string(port()); }

std::vector<net::Message> ScriptedServer::heard() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->heard;
}

}  // namespace convoy::tests
