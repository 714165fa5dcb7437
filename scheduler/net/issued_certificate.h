// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "scheduler/net/subject.h"
#include "scheduler/net/validity.h"

namespace convoy::net {

/// What the index of a CA knows of a certificate that it has signed.
struct IssuedCertificate {
  std::string serial;  ///< upper-case hexadecimal
  Subject subject;
  std::string fingerprint;      ///< SHA-256 of the certificate, "AB:CD:..."
  std::string key_fingerprint;  ///< SHA-256 of its public key
  Validity validity;
  std::optional<Time> revoked;
};

/// Neither revoked nor over.
[[nodiscard]] inline bool is_living(const IssuedCertificate& certificate, Time now) {
  return !certificate.revoked && now <= certificate.validity.to;
}

}  // namespace convoy::net
