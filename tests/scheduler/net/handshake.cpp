// SPDX-License-Identifier: Apache-2.0
#include "tests/scheduler/net/handshake.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <stdexcept>

namespace convoy::tests {
namespace {

void require_one(long result, const char* what) {
  if (result != 1) throw std::runtime_error(what);
}

Context new_context(bool server) {
  Context context(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method()));
  if (!context) throw std::runtime_error("SSL_CTX_new");
  return context;
}

/// One step of the handshake, or of the byte each way. @returns whether it should be called again.
bool step(End& end) {
  if (!end.error.empty()) return false;
  ERR_clear_error();
  int result = 0;
  if (!end.done) {
    result = SSL_do_handshake(end.ssl.get());
    if (result == 1) {
      end.done = true;
      (void)SSL_write(end.ssl.get(), "x", 1);
      return true;
    }
  } else {
    char byte = 0;
    result = SSL_read(end.ssl.get(), &byte, 1);
    if (result == 1) return false;
  }
  const int reason = SSL_get_error(end.ssl.get(), result);
  if (reason == SSL_ERROR_WANT_READ) return true;
  end.error = net::internal::take_openssl_errors();
  return false;
}

}  // namespace

Pair shake_hands(SSL_CTX& server, SSL_CTX& client, const std::function<void(SSL&)>& prepare) {
  Pair pair{{Connection(SSL_new(&server))}, {Connection(SSL_new(&client))}};
  BIO* server_side = nullptr;
  BIO* client_side = nullptr;
  require_one(BIO_new_bio_pair(&server_side, 1 << 16, &client_side, 1 << 16), "BIO_new_bio_pair");
  SSL_set_bio(pair.server.ssl.get(), server_side, server_side);
  SSL_set_bio(pair.client.ssl.get(), client_side, client_side);
  SSL_set_accept_state(pair.server.ssl.get());
  SSL_set_connect_state(pair.client.ssl.get());
  if (prepare) prepare(*pair.client.ssl);
  bool client_goes_on = true;
  bool server_goes_on = true;
  for (int i = 0; i < 20 && (client_goes_on || server_goes_on); ++i) {
    if (client_goes_on) client_goes_on = step(pair.client);
    if (server_goes_on) server_goes_on = step(pair.server);
  }
  return pair;
}

Context server_context(const net::Credentials& own,
                       std::shared_ptr<const net::PeerVerifier> verifier) {
  Context context = new_context(true);
  net::configure_server(*context, own, std::move(verifier));
  return context;
}

Context client_context(const net::Credentials& own,
                       std::shared_ptr<const net::PeerVerifier> verifier) {
  Context context = new_context(false);
  net::configure_client(*context, own, std::move(verifier));
  return context;
}

Context foreign_context(bool server, const net::Credentials& own) {
  Context context = new_context(server);
  if (own.key.empty()) return context;
  require_one(
      SSL_CTX_use_certificate_file(context.get(), own.certificate.c_str(), SSL_FILETYPE_PEM),
      "SSL_CTX_use_certificate_file");
  require_one(SSL_CTX_use_PrivateKey_file(context.get(), own.key.c_str(), SSL_FILETYPE_PEM),
              "SSL_CTX_use_PrivateKey_file");
  return context;
}

}  // namespace convoy::tests
