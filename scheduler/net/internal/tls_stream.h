// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "scheduler/net/internal/openssl.h"

namespace convoy::net::internal {

using TlsContext = Owned<SSL_CTX, SSL_CTX_free>;

/// A context with what both ends want of speed and memory; configure_server() or
/// configure_client() do the rest.
[[nodiscard]] TlsContext new_tls_context();

enum class TlsOutcome : std::uint8_t {
  kDone,
  kWantRead,   ///< call again when the socket can be read
  kWantWrite,  ///< call again when it can be written
  kEnd,        ///< the other end has said that it sends no more
  kFailed,     ///< problem() says why
};

struct TlsResult {
  TlsOutcome outcome = TlsOutcome::kDone;
  std::size_t bytes = 0;
};

/// TLS over a socket that does not block, which it borrows. Knows nothing of waiting. Instead of
/// Asio's own stream, which wakes up twice for each 16 KiB: here one turn reads and writes all that
/// the socket has and takes. One thread at a time.
class TlsStream {
 public:
  enum class End : std::uint8_t { kServer, kClient };

  TlsStream(SSL_CTX& context, int descriptor, End end);

  /// Of a client, before the handshake: the name that it asks for. Addresses are none.
  void ask_for(const std::string& host);

  [[nodiscard]] TlsOutcome handshake();
  /// At most one TLS record: 16 KiB.
  [[nodiscard]] TlsResult read(std::span<std::byte> out);
  /// Some of `bytes`. After kWantWrite the same bytes must come again; they may have moved, and
  /// more may follow them.
  [[nodiscard]] TlsResult write(std::span<const std::byte> bytes);
  /// Says that this end sends no more.
  [[nodiscard]] TlsOutcome say_end();

  /// Bytes of TLS that the socket has taken so far.
  [[nodiscard]] std::uint64_t written() const { return channel_->written; }
  /// Why something has failed, in one line.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] const SSL& ssl() const { return *ssl_; }

  /// What the functions of our BIO see of the socket.
  struct Channel {
    int descriptor;
    int error = 0;  ///< errno of what failed last
    std::uint64_t written = 0;
    bool at_end = false;
  };

 private:
  TlsOutcome outcome_of(int returned);
  void describe(int error);

  End end_;
  bool established_ = false;
  std::unique_ptr<Channel> channel_;  // its address is in the BIO
  Owned<SSL, SSL_free> ssl_;
  std::string problem_;
};

}  // namespace convoy::net::internal
