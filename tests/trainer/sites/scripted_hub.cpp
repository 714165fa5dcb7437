// SPDX-License-Identifier: Apache-2.0
#include "tests/trainer/sites/scripted_hub.h"

#include <algorithm>
#include <future>
#include <utility>

namespace convoy::tests {

class ScriptedHub::User final : public net::ConnectionUser {
 public:
  User(ScriptedHub& hub, std::weak_ptr<net::Connection> connection)
      : hub_(hub), connection_(std::move(connection)) {}

  void on_message(const net::Message& message, std::uint64_t id, std::uint64_t answers) override {
    if (std::holds_alternative<net::Progress>(message)) {
      (void)connection_.lock()->send(net::Accepted{}, id);
      return;
    }
    const std::lock_guard lock(hub_.mutex_);
    hub_.heard_.push_back({message, id, answers});
    hub_.changed_.notify_all();
  }
  void on_chunk(const net::Chunk& chunk) override {
    const std::lock_guard lock(hub_.mutex_);
    hub_.arrived_.insert(hub_.arrived_.end(), chunk.bytes.begin(), chunk.bytes.end());
    hub_.changed_.notify_all();
  }
  void on_closed(const std::string&) override {
    const std::lock_guard lock(hub_.mutex_);
    if (hub_.connection_ == connection_.lock()) hub_.connection_.reset();
    hub_.changed_.notify_all();
  }

 private:
  ScriptedHub& hub_;
  std::weak_ptr<net::Connection> connection_;
};

ScriptedHub::ScriptedHub(Federation& federation) {
  net::ListenerOptions options{.host = "127.0.0.1",
                               .own = federation.member("hub", net::Role::kServer),
                               .peers = federation.accepting({net::Role::kSite}),
                               .limits = {},
                               .threads = 1};
  listener_ = std::make_unique<net::Listener>(std::move(options),
                                              [this](std::shared_ptr<net::Connection> connection) {
                                                const std::lock_guard lock(mutex_);
                                                connection_ = connection;
                                                changed_.notify_all();
                                                return std::make_shared<User>(*this, connection);
                                              });
}

ScriptedHub::~ScriptedHub() { listener_->stop(std::chrono::milliseconds(0)); }

ScriptedHub::Heard ScriptedHub::take() {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kPatience, [this] { return !heard_.empty(); })) {
    throw std::runtime_error("the site says nothing");
  }
  Heard heard = std::move(heard_.front());
  heard_.pop_front();
  return heard;
}

net::Join ScriptedHub::greet(const std::string& run, std::int64_t liveness_ms) {
  (void)expect<net::Hello>();
  (void)say(
      net::Welcome{.server = "hub", .run = run, .heartbeat_ms = 500, .liveness_ms = liveness_ms},
      last.id);
  return expect<net::Join>();
}

std::uint64_t ScriptedHub::say(const net::Message& message, std::uint64_t answers) {
  std::shared_ptr<net::Connection> connection;
  {
    const std::lock_guard lock(mutex_);
    connection = connection_;
  }
  if (!connection) throw std::runtime_error("the site is not connected");
  const auto id = std::make_shared<std::promise<std::uint64_t>>();
  connection->post([=] { id->set_value(connection->send(message, answers)); });
  return id->get_future().get();
}

void ScriptedHub::send_stream(net::ModelBegin begin, const std::vector<std::byte>& bytes) {
  begin.sha256 = sha256(bytes);
  begin.bytes = std::ssize(bytes);
  const auto stream = say(begin);
  auto offset = expect<net::StreamOffset>();
  std::int64_t at = offset.offset;
  while (at < begin.bytes) {
    while (offset.limit == at) offset = expect<net::StreamOffset>();
    const auto count = std::min<std::int64_t>(offset.limit - at, 1 << 16);
    const auto piece =
        std::make_shared<std::vector<std::byte>>(bytes.begin() + at, bytes.begin() + at + count);
    const auto connection = connection_;
    connection->post(
        [=] { connection->send_chunk({.stream = stream, .offset = at, .bytes = *piece}); });
    at += count;
  }
  (void)say(net::StreamEnd{.stream = stream, .sha256 = begin.sha256});
}

void ScriptedHub::wait_for_upload(std::size_t bytes) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kPatience, [&] { return arrived_.size() >= bytes; })) {
    throw std::runtime_error("the site's update does not come");
  }
  upload = arrived_;
}

void ScriptedHub::take_upload(std::uint64_t stream, std::int64_t bytes, std::int64_t until,
                              std::int64_t step) {
  {
    const std::lock_guard lock(mutex_);
    arrived_ = upload;  // what came behind a cut is not known to be safe
  }
  for (auto at = std::ssize(upload); at < until; at = std::ssize(upload)) {
    const auto limit = std::min({bytes, until, at + step});
    (void)say(net::StreamOffset{.stream = stream, .offset = at, .limit = limit});
    wait_for_upload(static_cast<std::size_t>(limit));
  }
  if (until == bytes) {
    if (upload.empty()) (void)say(net::StreamOffset{.stream = stream, .offset = 0, .limit = 0});
    (void)expect<net::StreamEnd>();
  }
}

void ScriptedHub::cut() {
  const auto connection = connection_;
  connection->post([connection] { connection->abort("cut"); });
  std::unique_lock lock(mutex_);
  (void)changed_.wait_for(lock, kPatience, [this] { return connection_ == nullptr; });
  heard_.clear();
}

}  // namespace convoy::tests
