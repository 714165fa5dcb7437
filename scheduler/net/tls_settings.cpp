// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/tls_settings.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "base/errors.h"
#include "scheduler/net/internal/fields.h"
#include "scheduler/net/internal/openssl.h"
#include "scheduler/net/internal/pem.h"
#include "scheduler/net/internal/trust.h"

namespace convoy::net {
namespace {

using internal::check_openssl;
using SharedVerifier = std::shared_ptr<const PeerVerifier>;

template <typename T>
void free_attached(void*, void* object, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<T*>(object);
}

/// Where a context keeps its share of the verifier. (Index 0, "application data", is Asio's.)
int verifier_index() {
  static const int index =
      SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_attached<SharedVerifier>);
  return index;
}

/// Where a connection keeps the reason of its refusal.
int refusal_index() {
  static const int index =
      SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_attached<std::string>);
  return index;
}

const SharedVerifier* verifier_of(const SSL_CTX* context) {
  return static_cast<const SharedVerifier*>(SSL_CTX_get_ex_data(context, verifier_index()));
}

void keep_refusal(SSL* connection, std::string text) {
  delete static_cast<std::string*>(SSL_get_ex_data(connection, refusal_index()));
  auto kept = std::make_unique<std::string>(std::move(text));
  if (SSL_set_ex_data(connection, refusal_index(), kept.get()) == 1) (void)kept.release();
}

/// OpenSSL calls it instead of its own verification. Nothing may be thrown through C.
int verify_peer(X509_STORE_CTX* store_context, void*) noexcept {
  int code = X509_V_ERR_UNSPECIFIED;
  try {
    auto* connection = static_cast<SSL*>(
        X509_STORE_CTX_get_ex_data(store_context, SSL_get_ex_data_X509_STORE_CTX_idx()));
    const auto* verifier = verifier_of(SSL_get_SSL_CTX(connection));
    auto* certificate = X509_STORE_CTX_get0_cert(store_context);
    if (verifier != nullptr && certificate != nullptr) {
      const auto refusal = (*verifier)->refusal(*certificate);
      code = refusal ? refusal->code : X509_V_OK;
      if (refusal) keep_refusal(connection, refusal->text);
    }
  } catch (...) {
    code = X509_V_ERR_OUT_OF_MEM;
  }
  X509_STORE_CTX_set_error(store_context, code);
  return code == X509_V_OK ? 1 : 0;
}

void attach_verifier(SSL_CTX& context, SharedVerifier verifier) {
  require(verifier_of(&context) == nullptr, "this context has been configured already");
  auto kept = std::make_unique<SharedVerifier>(std::move(verifier));
  check_openssl(SSL_CTX_set_ex_data(&context, verifier_index(), kept.get()), "SSL_CTX_set_ex_data");
  (void)kept.release();
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(&context, verify_peer, nullptr);
}

void allow_only_full_handshakes(SSL_CTX& context) {
  check_openssl(static_cast<int>(SSL_CTX_set_min_proto_version(&context, TLS1_3_VERSION)),
                "SSL_CTX_set_min_proto_version");
  check_openssl(static_cast<int>(SSL_CTX_set_max_proto_version(&context, TLS1_3_VERSION)),
                "SSL_CTX_set_max_proto_version");
  SSL_CTX_set_options(&context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
  (void)SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
  check_openssl(SSL_CTX_set_num_tickets(&context, 0), "SSL_CTX_set_num_tickets");
  check_openssl(SSL_CTX_set_max_early_data(&context, 0), "SSL_CTX_set_max_early_data");
  check_openssl(SSL_CTX_set_recv_max_early_data(&context, 0), "SSL_CTX_set_recv_max_early_data");
}

std::string with_article(Role role) {
  return fmt::format("{} {}", role == Role::kOperator ? "an" : "a", to_text(role));
}

/// So that a wrong file is found at the start, and not by the peer.
void check_own(X509& certificate, const std::filesystem::path& path, const PeerVerifier& verifier,
               std::initializer_list<Role> roles) {
  Subject subject;
  try {
    subject = internal::subject_of(certificate);
  } catch (const ConfigError& error) {
    throw ConfigError(fmt::format("{}: {}", path.string(), error.what()));
  }
  std::string wanted;
  for (const Role role : roles) wanted += (wanted.empty() ? "" : " or ") + with_article(role);
  require_config(std::find(roles.begin(), roles.end(), subject.role) != roles.end(),
                 fmt::format("{} is the certificate of {}; needed here is that of {}",
                             path.string(), with_article(subject.role), wanted));
  const auto refusal = verifier.refusal_of_own(certificate, subject.role);
  if (refusal) throw ConfigError(path.string() + ": " + refusal->text);
}

struct KeyPair {
  internal::Key key;
  internal::Certificate certificate;
};

KeyPair read_pair(const Credentials& own) {
  KeyPair pair{internal::read_key(own.key), internal::read_certificate(own.certificate)};
  const bool fits = X509_check_private_key(pair.certificate.get(), pair.key.get()) == 1;
  ERR_clear_error();
  require_config(fits, own.key.string() + " is not the key of " + own.certificate.string());
  return pair;
}

void configure(SSL_CTX& context, const Credentials& own, SharedVerifier verifier,
               std::initializer_list<Role> roles) {
  require(verifier != nullptr, "TLS without a verifier");
  const auto [key, certificate] = read_pair(own);
  check_own(*certificate, own.certificate, *verifier, roles);
  allow_only_full_handshakes(context);
  check_openssl(SSL_CTX_use_certificate(&context, certificate.get()), "SSL_CTX_use_certificate");
  check_openssl(SSL_CTX_use_PrivateKey(&context, key.get()), "SSL_CTX_use_PrivateKey");
  attach_verifier(context, std::move(verifier));
}

}  // namespace

void configure_server(ssl_ctx_st& context, const Credentials& own, SharedVerifier verifier) {
  configure(context, own, std::move(verifier), {Role::kServer});
}

void configure_client(ssl_ctx_st& context, const Credentials& own, SharedVerifier verifier) {
  configure(context, own, std::move(verifier), {Role::kSite, Role::kOperator});
}

void require_client_credentials(const Credentials& own, const PeerVerifier* verifier) {
  const auto [key, certificate] = read_pair(own);
  if (verifier == nullptr) return;
  check_own(*certificate, own.certificate, *verifier, {Role::kSite, Role::kOperator});
}

std::string refusal_in_handshake(const ssl_st& connection) {
  const auto* text = static_cast<const std::string*>(SSL_get_ex_data(&connection, refusal_index()));
  return text == nullptr ? "" : *text;
}

PeerIdentity identity_of_peer(const ssl_st& connection) {
  require(SSL_is_init_finished(&connection) == 1, "the handshake is not over");
  require(verifier_of(SSL_get_SSL_CTX(&connection)) != nullptr &&
              SSL_get_verify_result(&connection) == X509_V_OK,
          "nobody has verified this peer");
  const internal::Certificate certificate(SSL_get1_peer_certificate(&connection));
  require(certificate != nullptr, "the peer has shown no certificate");
  Subject subject = internal::subject_of(*certificate);
  return {std::move(subject.name), subject.role, internal::fingerprint_of(*certificate),
          internal::serial_text(*X509_get0_serialNumber(certificate.get()))};
}

}  // namespace convoy::net
