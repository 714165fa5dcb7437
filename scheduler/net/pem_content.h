// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/net/subject.h"
#include "scheduler/net/validity.h"

namespace convoy::net {

/// What a file says of itself; nothing of it has been verified. Fields that its kind lacks are
/// empty.
struct PemContent {
  std::string kind;  ///< "certificate", "CA", "request", "revocation list", "key"
  std::string name;
  std::optional<Subject> subject;  ///< of certificates and requests that convoy would accept
  std::string problem;             ///< why there is no subject
  std::string issuer;
  std::string serial;
  std::string fingerprint;      ///< SHA-256 of a certificate
  std::string key_fingerprint;  ///< SHA-256 of the public key
  std::optional<Validity> validity;
  std::vector<std::string> revoked;  ///< serial numbers
};

/// One for each certificate, request, list or key in a PEM file (of one kind).
/// @throws ConfigError that names the file; for a key that others can read too.
[[nodiscard]] std::vector<PemContent> read_pem_content(const std::filesystem::path& path);

}  // namespace convoy::net
