// SPDX-License-Identifier: Apache-2.0
// The fields of certificates and requests as values, and back.
#pragma once

#include <string>

#include "scheduler/net/internal/openssl.h"
#include "scheduler/net/subject.h"
#include "scheduler/net/validity.h"

namespace convoy::net::internal {

/// Name, role and hosts as the certificate states them: common name = name; exactly one extended
/// key usage; alternative names = hosts of a server, or the name of anyone else.
/// @throws ConfigError that says what is missing or not allowed (without naming a file).
[[nodiscard]] Subject subject_of(const X509& certificate);
[[nodiscard]] Subject subject_of(X509_REQ& request);

/// The extensions that state role and hosts.
[[nodiscard]] Extensions extensions_of(const Subject& subject);

void set_common_name(X509_NAME& entries, const std::string& name);
/// Printable, whatever it holds; "" without one.
[[nodiscard]] std::string common_name(const X509_NAME& entries);

/// 40 upper-case hexadecimal digits or fewer, as `openssl x509 -serial` writes them.
[[nodiscard]] std::string serial_text(const ASN1_INTEGER& serial);
[[nodiscard]] Integer serial_from_text(const std::string& text);

/// SHA-256 of a certificate, or of a public key (as SubjectPublicKeyInfo): "AB:CD:...".
[[nodiscard]] std::string fingerprint_of(const X509& certificate);
[[nodiscard]] std::string fingerprint_of(EVP_PKEY& key);

[[nodiscard]] Asn1Time to_asn1(Time time);
[[nodiscard]] Time from_asn1(const ASN1_TIME& time);
[[nodiscard]] Validity validity_of(const X509& certificate);

}  // namespace convoy::net::internal
