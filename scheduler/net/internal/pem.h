// SPDX-License-Identifier: Apache-2.0
// Keys, certificates, requests and revocation lists as files.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "scheduler/net/internal/openssl.h"

namespace convoy::net::internal {

/// All readers @throws ConfigError that names the file, what it should hold, and OpenSSL's reason.
[[nodiscard]] Key read_key(const std::filesystem::path& path);
[[nodiscard]] Certificate read_certificate(const std::filesystem::path& path);
[[nodiscard]] Request read_request(const std::filesystem::path& path);
/// At least one.
[[nodiscard]] std::vector<Certificate> read_certificates(const std::filesystem::path& path);
[[nodiscard]] std::vector<RevocationList> read_revocation_lists(const std::filesystem::path& path);

[[nodiscard]] std::string to_pem(X509& certificate);
[[nodiscard]] std::string to_pem(X509_REQ& request);
[[nodiscard]] std::string to_pem(X509_CRL& list);

/// Makes the file, mode 0600. @throws ConfigError if it exists.
void create_key_file(const std::filesystem::path& path, EVP_PKEY& key);

}  // namespace convoy::net::internal
