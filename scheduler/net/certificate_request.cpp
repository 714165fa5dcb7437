// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/certificate_request.h"

#include "base/errors.h"
#include "base/file.h"
#include "scheduler/net/internal/fields.h"
#include "scheduler/net/internal/keys.h"
#include "scheduler/net/internal/pem.h"

namespace convoy::net {
namespace {

internal::Request signed_request(EVP_PKEY& key, const Subject& subject) {
  auto request = internal::own_openssl<internal::Request>(X509_REQ_new(), "X509_REQ_new");
  internal::check_openssl(X509_REQ_set_version(request.get(), X509_REQ_VERSION_1),
                          "X509_REQ_set_version");
  internal::set_common_name(*X509_REQ_get_subject_name(request.get()), subject.name);
  internal::check_openssl(X509_REQ_set_pubkey(request.get(), &key), "X509_REQ_set_pubkey");
  const auto extensions = internal::extensions_of(subject);
  internal::check_openssl(X509_REQ_add_extensions(request.get(), extensions.get()),
                          "X509_REQ_add_extensions");
  // It returns the length of the signature.
  if (X509_REQ_sign(request.get(), &key, EVP_sha256()) <= 0) {
    internal::fail_openssl("X509_REQ_sign");
  }
  return request;
}

void require_missing(const std::filesystem::path& path) {
  require_config(!std::filesystem::exists(std::filesystem::symlink_status(path)),
                 path.string() +
                     " exists already and is kept; for a new key choose another "
                     "--folder");
}

}  // namespace

RequestFiles make_request(const std::filesystem::path& folder, const Subject& subject) {
  internal::make_private_folder(folder);
  RequestFiles files{(folder / (subject.name + ".key")).lexically_normal(),
                     (folder / (subject.name + ".csr")).lexically_normal(),
                     {}};
  require_missing(files.key);
  require_missing(files.request);
  const auto key = internal::make_key();
  const auto request = signed_request(*key, subject);
  files.key_fingerprint = internal::fingerprint_of(*key);
  internal::create_key_file(files.key, *key);
  write_file_atomic(files.request, internal::to_pem(*request));
  return files;
}

}  // namespace convoy::net
