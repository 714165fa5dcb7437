// SPDX-License-Identifier: Apache-2.0
// What both ends of a connection between sites demand of TLS: version 1.3, a certificate from
// either side, the verdict of a PeerVerifier, and no way round the handshake (tickets, resumption,
// 0-RTT).
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "scheduler/net/peer_verifier.h"

struct ssl_st;
struct ssl_ctx_st;

namespace convoy::net {

struct Credentials {
  std::filesystem::path certificate;  ///< NAME.crt
  std::filesystem::path key;          ///< NAME.key, mode 0600
};

/// Fills the context of a server; it then shares `verifier`.
/// @throws ConfigError that names the file if the certificate is not a server's, is not accepted by
///         `verifier`'s CA, or the key is another's or readable by others.
void configure_server(ssl_ctx_st& context, const Credentials& own,
                      std::shared_ptr<const PeerVerifier> verifier);

/// Fills the context of a site or an operator; the same errors. In TLS 1.3 a client's handshake
/// ends before the server has looked at its certificate: a refusal comes with the first read.
void configure_client(ssl_ctx_st& context, const Credentials& own,
                      std::shared_ptr<const PeerVerifier> verifier);

/// The same errors beforehand. @param verifier  null: only whether the key can be read and is the
/// certificate's.
void require_client_credentials(const Credentials& own, const PeerVerifier* verifier);

/// Why this end has refused the peer in the handshake; "" if it has not.
[[nodiscard]] std::string refusal_in_handshake(const ssl_st& connection);

/// The peer of an established connection.
struct PeerIdentity {
  std::string name;
  Role role = Role::kSite;
  std::string fingerprint;  ///< SHA-256 of its certificate, "AB:CD:..."
  std::string serial;       ///< upper-case hexadecimal
};

/// @throws ContractError unless the handshake of a connection with these settings is over.
[[nodiscard]] PeerIdentity identity_of_peer(const ssl_st& connection);

}  // namespace convoy::net
