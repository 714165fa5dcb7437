// SPDX-License-Identifier: Apache-2.0
// What a CA signs: its own certificate, those of members, revocation lists.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scheduler/net/internal/openssl.h"
#include "scheduler/net/issued_certificate.h"

namespace convoy::net::internal {

struct Issuer {
  Key key;
  Certificate certificate;
};

/// 159 random bits, positive, as RFC 5280 wants it; as text.
[[nodiscard]] std::string random_serial();

[[nodiscard]] Certificate self_signed_authority(EVP_PKEY& key, const std::string& name,
                                                const Validity& validity);

[[nodiscard]] Certificate signed_certificate(const Issuer& issuer, EVP_PKEY& key,
                                             const Subject& subject, const std::string& serial,
                                             const Validity& validity);

/// Of those in `certificates` that are revoked.
[[nodiscard]] RevocationList signed_list(const Issuer& issuer, std::int64_t number,
                                         const std::vector<IssuedCertificate>& certificates,
                                         const Validity& validity);

}  // namespace convoy::net::internal
