// SPDX-License-Identifier: Apache-2.0
// A hub and sites on loopback, and users of connections that note what happens to them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/net/dialer.h"
#include "scheduler/net/listener.h"
#include "tests/scheduler/net/federation.h"

namespace convoy::tests {

using namespace std::chrono_literals;

/// A federation whose members are made once for all tests of a process: keys take time.
struct Members {
  Federation federation;
  net::Credentials hub = federation.member("hub", net::Role::kServer);
  net::Credentials site = federation.member("clinic-a", net::Role::kSite);
  net::Credentials anna = federation.member("anna", net::Role::kOperator);
};
[[nodiscard]] Members& members();

/// Notes what it is told; may be asked by any thread.
class Recorder : public net::ConnectionUser {
 public:
  struct Entry {
    net::Message message;
    std::uint64_t id = 0;
    std::uint64_t answers = 0;
  };

  void on_message(const net::Message& message, std::uint64_t id, std::uint64_t answers) override;
  void on_chunk(const net::Chunk& chunk) override;
  void on_drained() override {
    note([&] { ++drained_; });
  }
  void on_tick() override;
  void on_closed(const std::string& why) override;

  /// Set before the connection begins; run where the calls run.
  std::function<void(const net::Message&, std::uint64_t id)> message_hook = {};
  std::function<void(const net::Chunk&)> chunk_hook = {};
  std::function<void()> tick_hook = {};

  /// Wait, at most 20 s; false when it did not come.
  [[nodiscard]] bool wait_for_messages(std::size_t count);
  [[nodiscard]] bool wait_for_bytes(std::size_t count);
  [[nodiscard]] bool wait_for_end();

  [[nodiscard]] std::vector<Entry> messages() const { return read(messages_); }
  [[nodiscard]] std::size_t bytes() const { return read(bytes_); }
  [[nodiscard]] std::size_t ticks() const { return read(ticks_); }
  [[nodiscard]] std::size_t drained() const { return read(drained_); }
  /// What on_closed() said; nothing before.
  [[nodiscard]] std::optional<std::string> why() const { return read(why_); }
  /// Calls of on_closed(), and calls of anything after it.
  [[nodiscard]] int ends() const { return read(ends_); }
  [[nodiscard]] int late_calls() const { return read(late_calls_); }

 private:
  void note(const std::function<void()>& change);
  [[nodiscard]] bool wait(const std::function<bool()>& ready);
  template <typename T>
  T read(const T& value) const {
    const std::scoped_lock lock(mutex_);
    return value;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Entry> messages_;
  std::size_t bytes_ = 0;
  std::size_t ticks_ = 0;
  std::size_t drained_ = 0;
  std::optional<std::string> why_;
  int ends_ = 0;
  int late_calls_ = 0;
};

/// A listener on 127.0.0.1 whose every connection has a Recorder.
class Hub {
 public:
  using Prepare = std::function<void(Recorder&, const std::shared_ptr<net::Connection>&)>;

  /// @param change  of the options that are there. @param prepare  called for every connection.
  explicit Hub(const std::function<void(net::ListenerOptions&)>& change = {}, Prepare prepare = {});

  /// A hub that answers every Progress with Accepted, and every chunk with the same.
  static Prepare echo();

  [[nodiscard]] net::Listener& listener() { return *listener_; }
  [[nodiscard]] std::uint16_t port() const { return listener_->port(); }
  /// The number-th connection, once it is there. Fails the test when it does not come.
  [[nodiscard]] std::shared_ptr<Recorder> user(std::size_t number);
  [[nodiscard]] std::shared_ptr<net::Connection> connection(std::size_t number);
  /// Closes all that are there.
  void close_all();
  /// Lets go of everything that the hub holds of its connections.
  void forget();

 private:
  struct Peer {
    std::shared_ptr<Recorder> user;
    std::shared_ptr<net::Connection> connection;
  };
  Peer peer(std::size_t number);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Peer> peers_;
  std::unique_ptr<net::Listener> listener_;  // last: its threads use the others
};

/// A hub that waits for handshakes and frames for so long and no longer.
void patient_for(net::ListenerOptions& options, std::chrono::milliseconds handshake,
                 std::chrono::milliseconds progress);

/// For the hub at this port, as "clinic-a".
[[nodiscard]] net::DialerOptions dialer_options(std::uint16_t port);

[[nodiscard]] net::Hello hello();
[[nodiscard]] net::Welcome welcome();
/// Where the connection's calls run.
void send(const std::shared_ptr<net::Connection>& connection, const net::Message& message);
void close(const std::shared_ptr<net::Connection>& connection);

/// Polls; at most 20 s.
[[nodiscard]] bool eventually(const std::function<bool()>& ready);

}  // namespace convoy::tests
