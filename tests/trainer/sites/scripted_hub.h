// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "scheduler/net/listener.h"
#include "tests/scheduler/net/federation.h"

namespace convoy::tests {

/// The server's end of one site, over real TLS on 127.0.0.1, spoken by a test step by step. Signs
/// of life are answered; everything else waits to be expected.
class ScriptedHub {
 public:
  struct Heard {
    net::Message message;
    std::uint64_t id = 0;
    std::uint64_t answers = 0;
  };
  static constexpr std::chrono::seconds kPatience{30};

  explicit ScriptedHub(Federation& federation);
  ~ScriptedHub();

  [[nodiscard]] std::uint16_t port() const { return listener_->port(); }

  /// The next message, which must be a T; its id is in `last`. @throws std::runtime_error.
  template <typename T>
  T expect() {
    Heard heard = take();
    last = heard;
    if (const auto* found = std::get_if<T>(&heard.message)) return *found;
    throw std::runtime_error("the site has said " +
                             std::string(net::to_text(net::type_of(heard.message))) +
                             " in place of " + std::string(net::to_text(T::kType)));
  }
  /// Hello and Welcome of a (new) connection, then the Join.
  net::Join greet(const std::string& run = "run-1", std::int64_t liveness_ms = 20'000);

  std::uint64_t say(const net::Message& message, std::uint64_t answers = 0);
  /// Announces `bytes`, and sends them as the site takes them.
  void send_stream(net::ModelBegin begin, const std::vector<std::byte>& bytes);
  /// Takes the upload that was announced with frame `stream` up to its end, or to `until` bytes,
  /// in pieces. What has come stays in `upload`.
  void take_upload(std::uint64_t stream, std::int64_t bytes, std::int64_t until, std::int64_t step);
  /// Ends the connection as a broken link does.
  void cut();

  std::vector<std::byte> upload;  ///< bytes that have come, over all connections
  Heard last;

 private:
  class User;

  [[nodiscard]] Heard take();
  void wait_for_upload(std::size_t bytes);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Heard> heard_;
  std::vector<std::byte> arrived_;
  std::shared_ptr<net::Connection> connection_;  // with the listener
  std::unique_ptr<net::Listener> listener_;
};

}  // namespace convoy::tests
