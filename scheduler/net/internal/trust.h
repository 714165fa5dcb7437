// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/net/internal/openssl.h"
#include "scheduler/net/subject.h"

namespace convoy::net::internal {

/// Why a certificate is not accepted.
struct Refusal {
  std::string text;
  int code;  ///< X509_V_ERR_..., from which OpenSSL makes the alert that the peer sees
};

/// Whom a peer must be.
struct Demand {
  std::vector<Role> roles;
  std::string server_host;  ///< canonical; which a server's certificate must name, if not empty
};

/// The CAs of a federation and their revocation lists, as two files held them at one moment.
/// Immutable; any thread.
class Trust {
 public:
  /// @throws ConfigError unless each CA is living and has exactly one list, signed by it and
  /// current,
  ///         and there are no other lists.
  Trust(const std::filesystem::path& authorities, const std::filesystem::path& lists);

  /// As of now: a list that has become too old refuses everybody.
  [[nodiscard]] std::optional<Refusal> refusal(X509& certificate, const Demand& demand) const;

 private:
  [[nodiscard]] std::optional<Refusal> chain_refusal(X509& certificate) const;

  Store store_;
};

}  // namespace convoy::net::internal
