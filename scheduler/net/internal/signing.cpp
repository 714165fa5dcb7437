// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/signing.h"

#include <openssl/bn.h>

#include "scheduler/net/internal/fields.h"

namespace convoy::net::internal {
namespace {

constexpr int kSerialBits = 159;

void add_extension(X509& certificate, X509& issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  X509V3_set_ctx_nodb(&context);
  const auto extension =
      own_openssl<Extension>(X509V3_EXT_conf_nid(nullptr, &context, nid, value), value);
  check_openssl(X509_add_ext(&certificate, extension.get(), -1), "X509_add_ext");
}

void add_extensions(X509& certificate, const STACK_OF(X509_EXTENSION) * list) {
  for (int i = 0; i < sk_X509_EXTENSION_num(list); ++i) {
    check_openssl(X509_add_ext(&certificate, sk_X509_EXTENSION_value(list, i), -1), "X509_add_ext");
  }
}

void set_validity(X509& certificate, const Validity& validity) {
  check_openssl(X509_set1_notBefore(&certificate, to_asn1(validity.from).get()),
                "X509_set1_notBefore");
  check_openssl(X509_set1_notAfter(&certificate, to_asn1(validity.to).get()), "X509_set1_notAfter");
}

/// Without issuer, extensions and signature.
Certificate unsigned_certificate(EVP_PKEY& key, const std::string& name, const std::string& serial,
                                 const Validity& validity) {
  auto certificate = own_openssl<Certificate>(X509_new(), "X509_new");
  check_openssl(X509_set_version(certificate.get(), X509_VERSION_3), "X509_set_version");
  check_openssl(X509_set_serialNumber(certificate.get(), serial_from_text(serial).get()),
                "X509_set_serialNumber");
  set_common_name(*X509_get_subject_name(certificate.get()), name);
  check_openssl(X509_set_pubkey(certificate.get(), &key), "X509_set_pubkey");
  set_validity(*certificate, validity);
  return certificate;
}

void sign(X509& certificate, EVP_PKEY& key) {
  // It returns the length of the signature.
  if (X509_sign(&certificate, &key, EVP_sha256()) <= 0) fail_openssl("X509_sign");
}

void add_revoked(X509_CRL& list, const IssuedCertificate& certificate) {
  auto entry =
      own_openssl<Owned<X509_REVOKED, X509_REVOKED_free>>(X509_REVOKED_new(), "X509_REVOKED_new");
  check_openssl(
      X509_REVOKED_set_serialNumber(entry.get(), serial_from_text(certificate.serial).get()),
      "X509_REVOKED_set_serialNumber");
  check_openssl(X509_REVOKED_set_revocationDate(entry.get(), to_asn1(*certificate.revoked).get()),
                "X509_REVOKED_set_revocationDate");
  check_openssl(X509_CRL_add0_revoked(&list, entry.get()), "X509_CRL_add0_revoked");
  (void)entry.release();
}

void add_list_extensions(X509_CRL& list, const Issuer& issuer, std::int64_t number) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer.certificate.get(), nullptr, nullptr, &list, 0);
  X509V3_set_ctx_nodb(&context);
  const auto authority = own_openssl<Extension>(
      X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always"),
      "authority key identifier");
  check_openssl(X509_CRL_add_ext(&list, authority.get(), -1), "X509_CRL_add_ext");
  const auto value = own_openssl<Integer>(ASN1_INTEGER_new(), "ASN1_INTEGER_new");
  check_openssl(ASN1_INTEGER_set_int64(value.get(), number), "ASN1_INTEGER_set_int64");
  check_openssl(X509_CRL_add1_ext_i2d(&list, NID_crl_number, value.get(), 0, 0),
                "X509_CRL_add1_ext_i2d");
}

}  // namespace

std::string random_serial() {
  const auto number = own_openssl<Number>(BN_new(), "BN_new");
  check_openssl(BN_rand(number.get(), kSerialBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY), "BN_rand");
  const auto integer =
      own_openssl<Integer>(BN_to_ASN1_INTEGER(number.get(), nullptr), "BN_to_ASN1_INTEGER");
  return serial_text(*integer);
}

Certificate self_signed_authority(EVP_PKEY& key, const std::string& name,
                                  const Validity& validity) {
  auto certificate = unsigned_certificate(key, name, random_serial(), validity);
  check_openssl(X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get())),
                "X509_set_issuer_name");
  // It signs members only, no other CA.
  add_extension(*certificate, *certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(*certificate, *certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(*certificate, *certificate, NID_subject_key_identifier, "hash");
  add_extension(*certificate, *certificate, NID_authority_key_identifier, "keyid:always");
  sign(*certificate, key);
  return certificate;
}

Certificate signed_certificate(const Issuer& issuer, EVP_PKEY& key, const Subject& subject,
                               const std::string& serial, const Validity& validity) {
  auto certificate = unsigned_certificate(key, subject.name, serial, validity);
  X509& authority = *issuer.certificate;
  check_openssl(X509_set_issuer_name(certificate.get(), X509_get_subject_name(&authority)),
                "X509_set_issuer_name");
  add_extension(*certificate, authority, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(*certificate, authority, NID_key_usage, "critical,digitalSignature");
  add_extension(*certificate, authority, NID_subject_key_identifier, "hash");
  add_extension(*certificate, authority, NID_authority_key_identifier, "keyid:always");
  add_extensions(*certificate, extensions_of(subject).get());
  sign(*certificate, *issuer.key);
  return certificate;
}

RevocationList signed_list(const Issuer& issuer, std::int64_t number,
                           const std::vector<IssuedCertificate>& certificates,
                           const Validity& validity) {
  auto list = own_openssl<RevocationList>(X509_CRL_new(), "X509_CRL_new");
  check_openssl(X509_CRL_set_version(list.get(), X509_CRL_VERSION_2), "X509_CRL_set_version");
  check_openssl(
      X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(issuer.certificate.get())),
      "X509_CRL_set_issuer_name");
  check_openssl(X509_CRL_set1_lastUpdate(list.get(), to_asn1(validity.from).get()),
                "X509_CRL_set1_lastUpdate");
  check_openssl(X509_CRL_set1_nextUpdate(list.get(), to_asn1(validity.to).get()),
                "X509_CRL_set1_nextUpdate");
  for (const auto& certificate : certificates) {
    if (certificate.revoked) add_revoked(*list, certificate);
  }
  add_list_extensions(*list, issuer, number);
  check_openssl(X509_CRL_sort(list.get()), "X509_CRL_sort");
  if (X509_CRL_sign(list.get(), issuer.key.get(), EVP_sha256()) <= 0) {
    fail_openssl("X509_CRL_sign");
  }
  return list;
}

}  // namespace convoy::net::internal
