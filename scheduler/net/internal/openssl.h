// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace convoy::net::internal {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

/// Owns one object of OpenSSL's.
template <typename T, auto Free>
using Owned = std::unique_ptr<T, Deleter<Free>>;

using Bio = Owned<BIO, BIO_free_all>;
using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using Certificate = Owned<X509, X509_free>;
using Request = Owned<X509_REQ, X509_REQ_free>;
using RevocationList = Owned<X509_CRL, X509_CRL_free>;
using Store = Owned<X509_STORE, X509_STORE_free>;
using StoreContext = Owned<X509_STORE_CTX, X509_STORE_CTX_free>;
using Integer = Owned<ASN1_INTEGER, ASN1_INTEGER_free>;
using Number = Owned<BIGNUM, BN_free>;
using Asn1Time = Owned<ASN1_TIME, ASN1_TIME_free>;
using Extension = Owned<X509_EXTENSION, X509_EXTENSION_free>;
using GeneralNames = Owned<GENERAL_NAMES, GENERAL_NAMES_free>;
using KeyUsages = Owned<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;

inline void free_extensions(STACK_OF(X509_EXTENSION) * list) {
  sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
}
using Extensions = Owned<STACK_OF(X509_EXTENSION), free_extensions>;

/// What OpenSSL's error queue of this thread holds, oldest first; empties it.
[[nodiscard]] std::string take_openssl_errors();

/// @throws std::runtime_error "<what>: <OpenSSL's own text>".
[[noreturn]] void fail_openssl(const std::string& what);

/// For calls that return 1 for success.
inline void check_openssl(int returned, const char* what) {
  if (returned != 1) fail_openssl(what);
}

/// For calls that return an object: takes it over.
template <typename Handle>
[[nodiscard]] Handle own_openssl(typename Handle::pointer object, const char* what) {
  if (object == nullptr) fail_openssl(what);
  return Handle(object);
}

}  // namespace convoy::net::internal
