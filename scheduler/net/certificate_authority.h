// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "scheduler/net/issued_certificate.h"

namespace convoy::net {

/// The files of a CA, in one folder (mode 0700), all of mode 0600.
struct AuthorityFiles {
  explicit AuthorityFiles(const std::filesystem::path& folder);

  std::filesystem::path key;          ///< ca.key: never leaves this folder
  std::filesystem::path certificate;  ///< ca.crt: goes to every member
  std::filesystem::path list;         ///< ca.crl: revoked certificates; goes to every member
  std::filesystem::path index;        ///< index.json: what has been signed
};

struct AuthorityOptions {
  std::string name = "convoy federation";
  int days = 3650;
  /// Members refuse every peer when their list is older than this. Smaller: a revocation that did
  /// not reach a member harms for a shorter time, but new lists must be handed out more often.
  int list_days = 30;
};

/// A CA that signs for one federation. While it lives no other process changes the folder.
class CertificateAuthority {
 public:
  /// Makes key, certificate, an empty revocation list and an empty index.
  /// @throws ConfigError if the folder holds a CA already.
  static CertificateAuthority create(const std::filesystem::path& folder,
                                     const AuthorityOptions& options);

  /// @throws ConfigError if a file is missing, damaged or belongs to another CA.
  explicit CertificateAuthority(const std::filesystem::path& folder);
  CertificateAuthority(CertificateAuthority&&) noexcept;
  ~CertificateAuthority();

  [[nodiscard]] const AuthorityFiles& files() const;
  [[nodiscard]] const std::vector<IssuedCertificate>& issued() const;
  [[nodiscard]] std::string name() const;
  [[nodiscard]] std::string fingerprint() const;
  [[nodiscard]] Validity validity() const;

  struct Signed {
    IssuedCertificate entry;
    std::string pem;
  };

  /// Signs what `request` asks for if that is `expected`, after its signature proved that the
  /// sender has the key. It is in the index, on disk, before this returns.
  /// @param key_fingerprint  if not empty, the key must have it.
  /// @throws ConfigError that names the file and what differs.
  Signed sign(const std::filesystem::path& request, const Subject& expected,
              const Validity& validity, const std::string& key_fingerprint = "");

  /// Revokes the certificate with this serial number, or all that are not revoked yet with this
  /// name, and writes the list anew. @returns all that match, those revoked earlier too.
  /// @throws ConfigError if nothing matches.
  std::vector<IssuedCertificate> revoke(const std::string& name_or_serial, const Validity& list);

  /// Writes the list with a new number and new dates.
  void write_list(const Validity& validity);

 private:
  struct State;
  explicit CertificateAuthority(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace convoy::net
