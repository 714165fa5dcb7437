// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "scheduler/net/internal/openssl.h"

namespace convoy::net::internal {

/// EC on P-256: every OpenSSL has it, and signs and verifies in well under a millisecond.
[[nodiscard]] Key make_key();

[[nodiscard]] bool is_p256(const EVP_PKEY& key);

/// Makes it and those above it, readable by the owner alone; one that exists stays as it is.
void make_private_folder(const std::filesystem::path& folder);

}  // namespace convoy::net::internal
