// SPDX-License-Identifier: Apache-2.0
// TLS connections in memory, with the settings under test on one end or on both.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "scheduler/net/internal/openssl.h"
#include "scheduler/net/tls_settings.h"

namespace convoy::tests {

using Context = net::internal::Owned<SSL_CTX, SSL_CTX_free>;
using Connection = net::internal::Owned<SSL, SSL_free>;

struct End {
  Connection ssl;
  bool done = false;  ///< its handshake is over
  std::string error;  ///< why it failed, in OpenSSL's words
};

struct Pair {
  End server;
  End client;

  /// Both ends are through, and a byte went each way.
  [[nodiscard]] bool is_up() const {
    return server.done && client.done && server.error.empty() && client.error.empty();
  }
};

/// @param prepare  called with the client's connection before it starts.
[[nodiscard]] Pair shake_hands(SSL_CTX& server, SSL_CTX& client,
                               const std::function<void(SSL&)>& prepare = {});

/// With our settings.
[[nodiscard]] Context server_context(const net::Credentials& own,
                                     std::shared_ptr<const net::PeerVerifier> verifier);
[[nodiscard]] Context client_context(const net::Credentials& own,
                                     std::shared_ptr<const net::PeerVerifier> verifier);

/// A peer that is not ours: verifies nobody, shows what it is given (nothing if empty).
[[nodiscard]] Context foreign_context(bool server, const net::Credentials& own);

}  // namespace convoy::tests
