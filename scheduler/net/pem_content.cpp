// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/pem_content.h"

#include "base/errors.h"
#include "base/file.h"
#include "scheduler/net/internal/fields.h"
#include "scheduler/net/internal/pem.h"

namespace convoy::net {
namespace {

std::string key_fingerprint(EVP_PKEY* key) {
  return key == nullptr ? "" : internal::fingerprint_of(*key);
}

template <typename T>
void fill_subject(PemContent& content, T& source) {
  try {
    content.subject = internal::subject_of(source);
  } catch (const ConfigError& error) {
    content.problem = error.what();
  }
}

PemContent describe(X509& certificate) {
  PemContent content{.kind = X509_check_ca(&certificate) == 1 ? "CA" : "certificate"};
  content.name = internal::common_name(*X509_get_subject_name(&certificate));
  content.issuer = internal::common_name(*X509_get_issuer_name(&certificate));
  content.serial = internal::serial_text(*X509_get0_serialNumber(&certificate));
  content.fingerprint = internal::fingerprint_of(certificate);
  content.key_fingerprint = key_fingerprint(X509_get0_pubkey(&certificate));
  content.validity = internal::validity_of(certificate);
  if (content.kind == "certificate") fill_subject(content, certificate);
  return content;
}

PemContent describe(X509_REQ& request) {
  PemContent content{.kind = "request"};
  content.name = internal::common_name(*X509_REQ_get_subject_name(&request));
  content.key_fingerprint = key_fingerprint(X509_REQ_get0_pubkey(&request));
  fill_subject(content, request);
  return content;
}

PemContent describe(X509_CRL& list) {
  PemContent content{.kind = "revocation list"};
  content.issuer = internal::common_name(*X509_CRL_get_issuer(&list));
  if (const auto* next = X509_CRL_get0_nextUpdate(&list)) {
    content.validity = {internal::from_asn1(*X509_CRL_get0_lastUpdate(&list)),
                        internal::from_asn1(*next)};
  }
  auto* entries = X509_CRL_get_REVOKED(&list);
  for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
    content.revoked.push_back(
        internal::serial_text(*X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i))));
  }
  return content;
}

template <typename Handles>
std::vector<PemContent> describe_all(const Handles& handles) {
  std::vector<PemContent> contents;
  for (const auto& handle : handles) contents.push_back(describe(*handle));
  return contents;
}

PemContent describe_key(const std::filesystem::path& path) {
  PemContent content{.kind = "key"};
  content.key_fingerprint = key_fingerprint(internal::read_key(path).get());
  return content;
}

bool holds(const std::vector<std::byte>& bytes, std::string_view begin) {
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()).find(begin) !=
         std::string_view::npos;
}

}  // namespace

std::vector<PemContent> read_pem_content(const std::filesystem::path& path) {
  require_config(!std::filesystem::is_directory(path), path.string() + " is a folder");
  const auto bytes = read_file(path);
  if (holds(bytes, "PRIVATE KEY-----")) return {describe_key(path)};
  if (holds(bytes, "-----BEGIN CERTIFICATE REQUEST-----")) {
    return {describe(*internal::read_request(path))};
  }
  if (holds(bytes, "-----BEGIN X509 CRL-----")) {
    return describe_all(internal::read_revocation_lists(path));
  }
  return describe_all(internal::read_certificates(path));
}

}  // namespace convoy::net
