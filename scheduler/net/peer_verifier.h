// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/net/subject.h"

struct ssl_st;
struct x509_st;

namespace convoy::net {

namespace internal {
class Trust;
struct Demand;
struct Refusal;
}  // namespace internal

/// Who may talk to us: members whose certificate the federation's CA has signed, who are not
/// revoked, and have a role that is accepted here. Any thread.
class PeerVerifier {
 public:
  struct Options {
    std::filesystem::path authorities;  ///< ca.crt; several CAs while one replaces another
    std::filesystem::path lists;        ///< ca.crl; one list of each CA
    std::vector<Role> roles;
    /// Of a client: the host that it dials, which the server's certificate must name.
    std::string server_host = "";
  };

  /// @throws ConfigError that names file and cure if CA or revocation list are missing, damaged or
  ///         not current.
  explicit PeerVerifier(Options options);
  ~PeerVerifier();

  /// Reads both files again. What connections there are must then be looked at with
  /// refusal_of_peer(). @returns what is wrong with the files: as long as something is, everybody
  /// is refused.
  std::optional<std::string> reload();

  /// Why the peer of an established connection must be refused by now. Call it where the connection
  /// is used (its strand): OpenSSL's connections belong to one thread at a time.
  [[nodiscard]] std::optional<std::string> refusal_of_peer(const ssl_st& connection) const;

  /// For the handshake: the same of a certificate.
  [[nodiscard]] std::optional<internal::Refusal> refusal(x509_st& certificate) const;
  /// Of our own certificate, so that a program can say at its start what peers would say.
  [[nodiscard]] std::optional<internal::Refusal> refusal_of_own(x509_st& certificate,
                                                                Role role) const;

 private:
  [[nodiscard]] std::optional<internal::Refusal> refusal(x509_st& certificate,
                                                         const internal::Demand& demand) const;

  Options options_;
  mutable std::mutex mutex_;
  std::shared_ptr<const internal::Trust> trust_;  // with checks that are under way; null: problem_
  std::string problem_;
};

}  // namespace convoy::net
