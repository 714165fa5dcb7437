// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/peer_verifier.h"

#include <spdlog/fmt/fmt.h>

#include <utility>

#include "base/errors.h"
#include "scheduler/net/internal/openssl.h"
#include "scheduler/net/internal/trust.h"

namespace convoy::net {
namespace {

PeerVerifier::Options checked(PeerVerifier::Options options) {
  require(!options.roles.empty(), "no role is accepted");
  if (options.server_host.empty()) return options;
  const auto host = canonical_host(options.server_host);
  require_config(host.has_value(), fmt::format("\"{}\" is no host name and no IP address",
                                               printable(options.server_host)));
  options.server_host = *host;
  return options;
}

}  // namespace

PeerVerifier::PeerVerifier(Options options)
    : options_(checked(std::move(options))),
      trust_(std::make_shared<const internal::Trust>(options_.authorities, options_.lists)) {}

PeerVerifier::~PeerVerifier() = default;

std::optional<std::string> PeerVerifier::reload() {
  std::shared_ptr<const internal::Trust> fresh;
  std::string problem;
  try {
    fresh = std::make_shared<const internal::Trust>(options_.authorities, options_.lists);
  } catch (const std::exception& error) {
    problem = error.what();
  }
  const std::scoped_lock lock(mutex_);
  trust_ = std::move(fresh);
  problem_ = std::move(problem);
  if (trust_) return {};
  return problem_;
}

std::optional<internal::Refusal> PeerVerifier::refusal(x509_st& certificate,
                                                       const internal::Demand& demand) const {
  std::shared_ptr<const internal::Trust> trust;
  {
    const std::scoped_lock lock(mutex_);
    trust = trust_;
    if (!trust) return internal::Refusal{"nobody is accepted: " + problem_, X509_V_ERR_UNSPECIFIED};
  }
  return trust->refusal(certificate, demand);
}

std::optional<internal::Refusal> PeerVerifier::refusal(x509_st& certificate) const {
  return refusal(certificate, {options_.roles, options_.server_host});
}

std::optional<internal::Refusal> PeerVerifier::refusal_of_own(x509_st& certificate,
                                                              Role role) const {
  return refusal(certificate, {{role}, ""});
}

std::optional<std::string> PeerVerifier::refusal_of_peer(const ssl_st& connection) const {
  const internal::Certificate certificate(SSL_get1_peer_certificate(&connection));
  if (!certificate) return "the peer has shown no certificate";
  const auto found = refusal(*certificate);
  if (!found) return {};
  return found->text;
}

}  // namespace convoy::net
