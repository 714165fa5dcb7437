// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "comm/communicator.h"
#include "comm/tcp/internal/frame.h"
#include "comm/tcp/internal/listener.h"
#include "comm/tcp/internal/mesh.h"

namespace convoy::tests {

/// Ranks that listen and know each other, and are not connected yet: what tcp::make() has before it
/// connects, for tests that put processes, faults or impostors in the place of ranks.
class TcpRanks {
 public:
  explicit TcpRanks(int ranks);

  /// The sockets of `rank`. Blocks until all ranks call it.
  [[nodiscard]] std::unique_ptr<comm::internal::Transport> transport(
      int rank, std::chrono::milliseconds timeout = std::chrono::seconds(60));
  [[nodiscard]] std::unique_ptr<comm::Communicator> connect(
      int rank, const comm::CommunicatorOptions& options = {});
  [[nodiscard]] std::vector<comm::tcp::Offer>& offers() { return offers_; }

 private:
  std::vector<comm::tcp::Listener> listeners_;
  std::vector<comm::tcp::Offer> offers_;
};

/// A connection to a listening rank whose bytes the test chooses.
class RawPeer {
 public:
  explicit RawPeer(const comm::tcp::Offer& offer);

  template <typename T>
  void send(const T& value) {
    send_bytes(std::as_bytes(std::span(&value, 1)));
  }
  void send_bytes(std::span<const std::byte> bytes);
  void receive_bytes(std::span<std::byte> bytes);
  /// Greets as `rank` and waits for the answer.
  void become(int rank, int peer, const std::vector<comm::tcp::Offer>& offers);
  /// True when the other side closes within a few seconds, saying nothing.
  [[nodiscard]] bool is_dropped();
  /// Closes with a reset instead of an orderly end.
  void reset();
  void close() { socket_.close(); }

 private:
  comm::tcp::Descriptor socket_;
};

}  // namespace convoy::tests
