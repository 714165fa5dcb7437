// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/certificate_authority.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "base/errors.h"
#include "base/file.h"
#include "scheduler/net/internal/authority_index.h"
#include "scheduler/net/internal/fields.h"
#include "scheduler/net/internal/keys.h"
#include "scheduler/net/internal/pem.h"
#include "scheduler/net/internal/signing.h"

namespace convoy::net {
namespace {

namespace fs = std::filesystem;

/// Keeps other processes from signing or revoking at the same time, which would lose an entry of
/// the index. The system lets go when the process ends, however it ends.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder)
      : fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    require_config(
        fd_ >= 0,
        fmt::format("cannot open the folder of the CA {}: {}; convoy certs init makes one",
                    folder.string(), std::strerror(errno)));
    if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
    const int error = errno;
    ::close(fd_);
    throw ConfigError(
        error == EWOULDBLOCK
            ? folder.string() + ": another convoy certs is at work there"
            : fmt::format("cannot lock {}: {}", folder.string(), std::strerror(error)));
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock() { ::close(fd_); }

 private:
  int fd_;
};

void write_private(const fs::path& path, const std::string& text) {
  write_private_file_atomic(path, std::as_bytes(std::span(text)));
}

Validity validity_of_authority(const internal::Issuer& issuer) {
  return internal::validity_of(*issuer.certificate);
}

bool is_upper_hex_of(const std::string& serial, const std::string& word) {
  return std::equal(serial.begin(), serial.end(), word.begin(), word.end(), [](char s, char w) {
    return s == (w >= 'a' && w <= 'f' ? static_cast<char>(w - 'a' + 'A') : w);
  });
}

std::string difference(const Subject& asked, const Subject& expected) {
  return fmt::format("asks for {}, and not for {}", to_text(asked), to_text(expected));
}

/// The request's public key. @throws ConfigError unless the request is sound and asks for
/// `expected`.
EVP_PKEY& checked_key(const fs::path& path, X509_REQ& request, const Subject& expected) {
  EVP_PKEY* const key = X509_REQ_get0_pubkey(&request);
  require_config(key != nullptr && X509_REQ_verify(&request, key) == 1,
                 path.string() + ": its signature is wrong; ask for it again (" +
                     internal::take_openssl_errors() + ")");
  require_config(internal::is_p256(*key),
                 path.string() + ": its key is not EC on P-256; make it with convoy certs request");
  Subject asked;
  try {
    asked = internal::subject_of(request);
  } catch (const ConfigError& error) {
    throw ConfigError(path.string() + ": " + error.what());
  }
  require_config(asked == expected, path.string() + " " + difference(asked, expected));
  return *key;
}

}  // namespace

AuthorityFiles::AuthorityFiles(const fs::path& folder)
    : key(folder / "ca.key"),
      certificate(folder / "ca.crt"),
      list(folder / "ca.crl"),
      index(folder / "index.json") {}

struct CertificateAuthority::State {
  explicit State(const fs::path& folder) : files(folder), lock(folder) {}

  [[nodiscard]] std::string fresh_serial() const {
    for (;;) {
      std::string serial = internal::random_serial();
      const auto same = [&](const auto& entry) { return entry.serial == serial; };
      if (std::none_of(index.certificates.begin(), index.certificates.end(), same)) return serial;
    }
  }

  AuthorityFiles files;
  FolderLock lock;
  internal::Issuer issuer;
  internal::AuthorityIndex index;
};

CertificateAuthority::CertificateAuthority(std::unique_ptr<State> state)
    : state_(std::move(state)) {}
CertificateAuthority::CertificateAuthority(CertificateAuthority&&) noexcept = default;
CertificateAuthority::~CertificateAuthority() = default;

CertificateAuthority CertificateAuthority::create(const fs::path& folder,
                                                  const AuthorityOptions& options) {
  const Validity validity = valid_for_days(options.days);
  const Validity list_validity = valid_for_days(options.list_days);
  require_config(!options.name.empty() && printable(options.name) == options.name,
                 "the name of a CA has 1 to 64 printable characters");
  internal::make_private_folder(folder);
  CertificateAuthority authority(std::make_unique<State>(folder));
  State& state = *authority.state_;
  for (const auto& path :
       {state.files.key, state.files.certificate, state.files.list, state.files.index}) {
    require_config(!fs::exists(fs::symlink_status(path)),
                   path.string() + " exists already and is kept; for a new CA choose another --ca");
  }
  state.issuer.key = internal::make_key();
  state.issuer.certificate =
      internal::self_signed_authority(*state.issuer.key, options.name, validity);
  internal::create_key_file(state.files.key, *state.issuer.key);
  write_private(state.files.certificate, internal::to_pem(*state.issuer.certificate));
  authority.write_list(list_validity);
  return authority;
}

CertificateAuthority::CertificateAuthority(const fs::path& folder)
    : state_(std::make_unique<State>(folder)) {
  State& state = *state_;
  state.issuer.key = internal::read_key(state.files.key);
  state.issuer.certificate = internal::read_certificate(state.files.certificate);
  require_config(
      X509_check_private_key(state.issuer.certificate.get(), state.issuer.key.get()) == 1,
      state.files.key.string() + " is not the key of " + state.files.certificate.string());
  state.index = internal::read_index(state.files.index);
}

const AuthorityFiles& CertificateAuthority::files() const { return state_->files; }

const std::vector<IssuedCertificate>& CertificateAuthority::issued() const {
  return state_->index.certificates;
}

std::string CertificateAuthority::name() const {
  return internal::common_name(*X509_get_subject_name(state_->issuer.certificate.get()));
}

std::string CertificateAuthority::fingerprint() const {
  return internal::fingerprint_of(*state_->issuer.certificate);
}

Validity CertificateAuthority::validity() const { return validity_of_authority(state_->issuer); }

CertificateAuthority::Signed CertificateAuthority::sign(const fs::path& path,
                                                        const Subject& expected,
                                                        const Validity& validity,
                                                        const std::string& key_fingerprint) {
  const auto request = internal::read_request(path);
  EVP_PKEY& key = checked_key(path, *request, expected);
  const std::string found = internal::fingerprint_of(key);
  require_config(key_fingerprint.empty() || key_fingerprint == found,
                 fmt::format("{}: its key has the fingerprint {}, and not {}", path.string(), found,
                             printable(key_fingerprint, found.size())));
  require_config(
      validity.to <= this->validity().to,
      fmt::format("the CA itself ends on {}: fewer --days", to_text(this->validity().to)));
  const std::string serial = state_->fresh_serial();
  const auto certificate =
      internal::signed_certificate(state_->issuer, key, expected, serial, validity);
  IssuedCertificate entry{serial, expected, internal::fingerprint_of(*certificate),
                          found,  validity, {}};
  state_->index.certificates.push_back(entry);
  internal::write_index(state_->files.index, state_->index);
  return {std::move(entry), internal::to_pem(*certificate)};
}

std::vector<IssuedCertificate> CertificateAuthority::revoke(const std::string& name_or_serial,
                                                            const Validity& list) {
  std::vector<IssuedCertificate> matches;
  for (auto& entry : state_->index.certificates) {
    if (entry.subject.name != name_or_serial && !is_upper_hex_of(entry.serial, name_or_serial)) {
      continue;
    }
    if (!entry.revoked) entry.revoked = current_time();
    matches.push_back(entry);
  }
  require_config(!matches.empty(),
                 fmt::format("{} knows no certificate with the name or serial number \"{}\"",
                             state_->files.index.string(), printable(name_or_serial)));
  write_list(list);
  return matches;
}

void CertificateAuthority::write_list(const Validity& validity) {
  // The index first: after a crash in between, the next call still writes what is revoked.
  ++state_->index.list_number;
  internal::write_index(state_->files.index, state_->index);
  const auto list = internal::signed_list(state_->issuer, state_->index.list_number,
                                          state_->index.certificates, validity);
  write_private(state_->files.list, internal::to_pem(*list));
}

}  // namespace convoy::net
