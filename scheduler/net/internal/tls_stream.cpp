// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/tls_stream.h"

#include <openssl/err.h>
#include <spdlog/fmt/fmt.h>

#include <boost/asio/ip/address.hpp>
#include <system_error>

#include "scheduler/net/internal/socket_bio.h"
#include "scheduler/net/internal/tls_problem.h"
#include "scheduler/net/tls_settings.h"

namespace convoy::net::internal {
namespace {

/// Records that one system call may fetch: sixteen.
constexpr std::size_t kReadAheadBytes = std::size_t{256} << 10;

}  // namespace

TlsContext new_tls_context() {
  auto context = own_openssl<TlsContext>(SSL_CTX_new(TLS_method()), "SSL_CTX_new");
  (void)SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                            SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_default_read_buffer_len(context.get(), kReadAheadBytes);
  return context;
}

TlsStream::TlsStream(SSL_CTX& context, int descriptor, End end)
    : end_(end),
      channel_(std::make_unique<Channel>(Channel{descriptor})),
      ssl_(own_openssl<Owned<SSL, SSL_free>>(SSL_new(&context), "SSL_new")) {
  BIO* bio = new_socket_bio(*channel_).release();
  SSL_set_bio(ssl_.get(), bio, bio);
  if (end == End::kServer) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
  }
}

void TlsStream::ask_for(const std::string& host) {
  boost::system::error_code is_name;
  (void)boost::asio::ip::make_address(host, is_name);
  if (!is_name) return;
  check_openssl(static_cast<int>(SSL_set_tlsext_host_name(ssl_.get(), host.c_str())),
                "SSL_set_tlsext_host_name");
}

TlsOutcome TlsStream::handshake() {
  ERR_clear_error();
  const auto outcome = outcome_of(SSL_do_handshake(ssl_.get()));
  if (outcome == TlsOutcome::kDone) established_ = true;
  return outcome;
}

TlsResult TlsStream::read(std::span<std::byte> out) {
  ERR_clear_error();
  TlsResult result;
  result.outcome = outcome_of(SSL_read_ex(ssl_.get(), out.data(), out.size(), &result.bytes));
  return result;
}

TlsResult TlsStream::write(std::span<const std::byte> bytes) {
  ERR_clear_error();
  TlsResult result;
  result.outcome = outcome_of(SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &result.bytes));
  return result;
}

TlsOutcome TlsStream::say_end() {
  ERR_clear_error();
  const int returned = SSL_shutdown(ssl_.get());
  return returned >= 0 ? TlsOutcome::kDone : outcome_of(returned);
}

TlsOutcome TlsStream::outcome_of(int returned) {
  if (returned > 0) return TlsOutcome::kDone;
  const int error = SSL_get_error(ssl_.get(), returned);
  switch (error) {
    case SSL_ERROR_WANT_READ:
      return TlsOutcome::kWantRead;
    case SSL_ERROR_WANT_WRITE:
      return TlsOutcome::kWantWrite;
    case SSL_ERROR_ZERO_RETURN:
      return TlsOutcome::kEnd;
    default:
      describe(error);
      return TlsOutcome::kFailed;
  }
}

void TlsStream::describe(int error) {
  const std::string own_refusal = refusal_in_handshake(*ssl_);
  const bool of_server = end_ == End::kClient;
  if (!established_ && !own_refusal.empty()) {
    problem_ = fmt::format("the {} certificate is refused: {}", of_server ? "server's" : "peer's",
                           own_refusal);
  } else if (channel_->at_end) {
    problem_ = established_ ? "the connection broke off" : "the other end broke off the handshake";
  } else if (const unsigned long first = ERR_peek_error(); error == SSL_ERROR_SSL && first != 0) {
    problem_ = tls_problem(first, of_server ? "the server" : "the peer");
  } else {
    problem_ = std::generic_category().message(channel_->error);
  }
  ERR_clear_error();
}

}  // namespace convoy::net::internal
