// SPDX-License-Identifier: Apache-2.0
#include "tests/scheduler/net/transport_kit.h"

#include <gtest/gtest.h>

#include <thread>

namespace convoy::tests {
namespace {

constexpr auto kPatience = 20s;

}  // namespace

Members& members() {
  static Members all;
  return all;
}

void Recorder::on_message(const net::Message& message, std::uint64_t id, std::uint64_t answers) {
  note([&] { messages_.push_back({message, id, answers}); });
  if (message_hook) message_hook(message, id);
}

void Recorder::on_chunk(const net::Chunk& chunk) {
  if (chunk_hook) chunk_hook(chunk);
  note([&] { bytes_ += chunk.bytes.size(); });
}

void Recorder::on_tick() {
  note([&] { ++ticks_; });
  if (tick_hook) tick_hook();
}

void Recorder::on_closed(const std::string& why) {
  // What the hooks hold may hold this.
  message_hook = {};
  chunk_hook = {};
  tick_hook = {};
  note([&] {
    why_ = why;
    ++ends_;
  });
}

void Recorder::note(const std::function<void()>& change) {
  const std::scoped_lock lock(mutex_);
  if (ends_ > 0) ++late_calls_;
  change();
  changed_.notify_all();
}

bool Recorder::wait(const std::function<bool()>& ready) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, ready);
}

bool Recorder::wait_for_messages(std::size_t count) {
  return wait([&] { return messages_.size() >= count; });
}

bool Recorder::wait_for_bytes(std::size_t count) {
  return wait([&] { return bytes_ >= count; });
}

bool Recorder::wait_for_end() {
  return wait([&] { return ends_ > 0; });
}

Hub::Hub(const std::function<void(net::ListenerOptions&)>& change, Prepare prepare) {
  net::ListenerOptions options;
  options.host = "127.0.0.1";
  options.own = members().hub;
  options.peers = members().federation.accepting({net::Role::kSite, net::Role::kOperator});
  options.limits.tick = 20ms;
  if (change) change(options);
  listener_ = std::make_unique<net::Listener>(
      std::move(options), [this, prepare](std::shared_ptr<net::Connection> connection) {
        auto user = std::make_shared<Recorder>();
        if (prepare) prepare(*user, connection);
        const std::scoped_lock lock(mutex_);
        peers_.push_back({user, std::move(connection)});
        changed_.notify_all();
        return user;
      });
}

Hub::Prepare Hub::echo() {
  return [](Recorder& user, const std::shared_ptr<net::Connection>& connection) {
    user.message_hook = [connection](const net::Message& message, std::uint64_t id) {
      if (std::holds_alternative<net::Hello>(message)) connection->send(welcome(), id);
      if (std::holds_alternative<net::Progress>(message)) connection->send(net::Accepted{}, id);
    };
    user.chunk_hook = [connection](const net::Chunk& chunk) { connection->send_chunk(chunk); };
  };
}

Hub::Peer Hub::peer(std::size_t number) {
  std::unique_lock lock(mutex_);
  const bool came = changed_.wait_for(lock, kPatience, [&] { return peers_.size() > number; });
  if (!came) throw std::runtime_error("the hub has not got that many connections");
  return peers_[number];
}

std::shared_ptr<Recorder> Hub::user(std::size_t number) { return peer(number).user; }

std::shared_ptr<net::Connection> Hub::connection(std::size_t number) {
  return peer(number).connection;
}

void Hub::close_all() {
  const std::scoped_lock lock(mutex_);
  for (const Peer& peer : peers_) close(peer.connection);
}

void Hub::forget() {
  const std::scoped_lock lock(mutex_);
  peers_.clear();
}

void patient_for(net::ListenerOptions& options, std::chrono::milliseconds handshake,
                 std::chrono::milliseconds progress) {
  options.limits.handshake = handshake;
  options.limits.progress = progress;
}

net::DialerOptions dialer_options(std::uint16_t port) {
  net::DialerOptions options{.server = {"127.0.0.1", port},
                             .own = members().site,
                             .authorities = members().federation.files().certificate,
                             .lists = members().federation.files().list};
  options.limits.tick = 20ms;
  options.connect = 2000ms;
  return options;
}

net::Hello hello() {
  return {.party = net::Party::kSite, .name = "clinic-a", .instance = "1", .software = "test"};
}

net::Welcome welcome() { return {.server = "hub", .run = "run-1", .software = "test"}; }

void send(const std::shared_ptr<net::Connection>& connection, const net::Message& message) {
  connection->post([connection, message] { (void)connection->send(message); });
}

void close(const std::shared_ptr<net::Connection>& connection) {
  connection->post([connection] { connection->close(); });
}

bool eventually(const std::function<bool()>& ready) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!ready()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

}  // namespace convoy::tests
