// SPDX-License-Identifier: Apache-2.0
// index.json: what a CA has signed and revoked, and the number of its last revocation list.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "scheduler/net/issued_certificate.h"

namespace convoy::net::internal {

struct AuthorityIndex {
  std::int64_t list_number = 0;
  std::vector<IssuedCertificate> certificates;  ///< in the order of their signing
};

/// @throws ConfigError that names the file.
[[nodiscard]] AuthorityIndex read_index(const std::filesystem::path& path);
/// Replaces it atomically, mode 0600.
void write_index(const std::filesystem::path& path, const AuthorityIndex& index);

}  // namespace convoy::net::internal
