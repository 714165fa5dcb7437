// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/net/connection.h"

namespace convoy::tests {

/// A connection that keeps what is sent over it. Tasks run at once.
class FakeConnection final : public net::Connection {
 public:
  struct Sent {
    net::Message message;
    std::uint64_t id = 0;
    std::uint64_t answers = 0;
  };
  struct SentChunk {
    std::uint64_t stream = 0;
    std::int64_t offset = 0;
    std::vector<std::byte> bytes;
  };

  void post(std::function<void()> task) override { task(); }
  std::uint64_t send(const net::Message& message, std::uint64_t answers) override {
    (void)net::encode(message);  // throws where no end may send it
    if (!is_closed) sent.push_back({message, ++id, answers});
    return id;
  }
  void send_chunk(const net::Chunk& chunk) override {
    ++id;
    queued += chunk.bytes.size();
    chunks.push_back({chunk.stream, chunk.offset, {chunk.bytes.begin(), chunk.bytes.end()}});
  }
  [[nodiscard]] std::size_t queued_bytes() const override { return queued; }
  void close() override { is_closed = true; }
  void abort(const std::string& why) override { aborted = why; }
  [[nodiscard]] const net::PeerIdentity& peer() const override { return peer_; }
  [[nodiscard]] std::string address() const override { return "fake"; }
  [[nodiscard]] std::chrono::steady_clock::time_point last_heard() const override { return heard; }

  /// The newest message of this type; nothing where none was sent.
  template <typename T>
  [[nodiscard]] std::optional<T> newest() const {
    for (auto at = sent.rbegin(); at != sent.rend(); ++at) {
      if (const auto* found = std::get_if<T>(&at->message)) return *found;
    }
    return std::nullopt;
  }
  template <typename T>
  [[nodiscard]] int count() const {
    int found = 0;
    for (const auto& one : sent) found += std::holds_alternative<T>(one.message) ? 1 : 0;
    return found;
  }
  /// Of the newest message.
  [[nodiscard]] const Sent& last() const { return sent.back(); }

  std::vector<Sent> sent;
  std::vector<SentChunk> chunks;
  std::size_t queued = 0;
  std::uint64_t id = 0;
  bool is_closed = false;
  std::string aborted;
  std::chrono::steady_clock::time_point heard{};

 private:
  net::PeerIdentity peer_{
      .name = "hub", .role = net::Role::kServer, .fingerprint = {}, .serial = {}};
};

}  // namespace convoy::tests
