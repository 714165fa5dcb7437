// SPDX-License-Identifier: Apache-2.0
// Ends of connections that keep to no rules. They block, for 20 s at most.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "scheduler/net/frame_writer.h"
#include "tests/scheduler/net/handshake.h"
#include "tests/scheduler/net/net_kit.h"

namespace convoy::tests {

/// Owns a connected TCP socket.
class RawSocket {
 public:
  /// To this port of 127.0.0.1. @throws std::runtime_error.
  /// @param from  an address of this machine to come from.
  explicit RawSocket(std::uint16_t port, const char* from = "127.0.0.1");
  /// Takes `descriptor` over.
  static RawSocket of(int descriptor);
  ~RawSocket();
  RawSocket(RawSocket&& other) noexcept;
  RawSocket& operator=(RawSocket&&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  /// @return false when the other end is gone.
  bool write(const std::string& text);
  /// What comes before the end or `most` bytes. @param most  at least 1
  std::string read(std::size_t most);
  /// Whether the other end closes without a further byte.
  bool is_closed_by_other() { return read(1).empty(); }

 private:
  struct Take {
    int descriptor;
  };
  explicit RawSocket(Take take);

  int descriptor_;
};

/// A client (or server) that shakes hands with any certificate, and then writes what it likes.
class RawPeer {
 public:
  /// @param own  no key: none is shown.
  RawPeer(std::uint16_t port, const net::Credentials& own);
  RawPeer(RawSocket socket, const net::Credentials& own, bool is_server);

  /// Whether its own side of the handshake is over.
  [[nodiscard]] bool is_up() const { return is_up_; }
  [[nodiscard]] SSL& ssl() { return *ssl_; }
  [[nodiscard]] RawSocket& socket() { return socket_; }

  bool write(std::span<const std::byte> bytes);
  bool write(const net::Message& message);
  /// All frames until the other end closes. @return what came; error: bytes that are no frames.
  net::ReadFrames read_all();
  /// Some bytes; empty at the end.
  net::Bytes read_some();
  /// OpenSSL's text of what ended the last read; "" for a clean end.
  [[nodiscard]] const std::string& problem() const { return problem_; }

  net::FrameWriter writer;

 private:
  RawSocket socket_;
  Context context_;
  Connection ssl_;
  bool is_up_ = false;
  std::string problem_;
};

/// The messages in `frames`, in words: "Refusal bad frame", "Welcome".
[[nodiscard]] std::string summary(const net::ReadFrames& frames, net::Party sender);

/// Listens on a port of 127.0.0.1 and runs a script for each connection, one after the other.
class RawServer {
 public:
  using Script = std::function<void(RawSocket)>;
  explicit RawServer(Script script);
  ~RawServer();

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  int descriptor_;
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

}  // namespace convoy::tests
