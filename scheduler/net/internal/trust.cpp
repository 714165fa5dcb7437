// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/trust.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "base/errors.h"
#include "scheduler/net/internal/fields.h"
#include "scheduler/net/internal/pem.h"

namespace convoy::net::internal {
namespace {

namespace fs = std::filesystem;

constexpr int kSecurityLevel = 2;  // of OpenSSL: 112 bits and more

std::string name_of(const X509& certificate) {
  return fmt::format("\"{}\"", common_name(*X509_get_subject_name(&certificate)));
}

void require_living_authority(X509& authority, const fs::path& path) {
  const std::string what = fmt::format("{}: {}", path.string(), name_of(authority));
  require_config(X509_check_ca(&authority) == 1, what + " is no CA");
  const Validity validity = validity_of(authority);
  require_config(
      validity.from <= current_time(),
      fmt::format("{} begins on {}: is this machine's clock right?", what, to_text(validity.from)));
  require_config(current_time() <= validity.to,
                 fmt::format("{} ended on {}; take it out of the file, or ask the federation's "
                             "administrator for a new one",
                             what, to_text(validity.to)));
}

void require_current(const X509_CRL& list, const fs::path& path) {
  const auto* next = X509_CRL_get0_nextUpdate(&list);
  require_config(next != nullptr, path.string() + ": its revocation list has no end");
  const Validity validity{from_asn1(*X509_CRL_get0_lastUpdate(&list)), from_asn1(*next)};
  require_config(validity.from <= current_time(),
                 fmt::format("{}: its revocation list begins on {}: is this machine's clock right?",
                             path.string(), to_text(validity.from)));
  require_config(current_time() <= validity.to,
                 fmt::format("{}: its revocation list ended on {}; get a new one (convoy certs "
                             "revoke --refresh at the CA)",
                             path.string(), to_text(validity.to)));
}

bool has_signed(X509& authority, X509_CRL& list) {
  const bool ours =
      X509_NAME_cmp(X509_CRL_get_issuer(&list), X509_get_subject_name(&authority)) == 0 &&
      X509_CRL_verify(&list, X509_get0_pubkey(&authority)) == 1;
  ERR_clear_error();
  return ours;
}

void require_one_list_each(const std::vector<Certificate>& authorities,
                           const std::vector<RevocationList>& lists, const fs::path& path) {
  std::vector<int> counts(authorities.size());
  for (const auto& list : lists) {
    const auto by = std::find_if(authorities.begin(), authorities.end(),
                                 [&](const auto& a) { return has_signed(*a, *list); });
    require_config(
        by != authorities.end(),
        path.string() + " holds a revocation list that the federation's CA has not signed");
    ++counts[static_cast<std::size_t>(by - authorities.begin())];
    require_current(*list, path);
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    require_config(counts[i] == 1,
                   fmt::format("{} holds {} revocation lists of the CA {}; one is wanted",
                               path.string(), counts[i], name_of(*authorities[i])));
  }
}

Store make_store(const std::vector<Certificate>& authorities,
                 const std::vector<RevocationList>& lists) {
  auto store = own_openssl<Store>(X509_STORE_new(), "X509_STORE_new");
  for (const auto& authority : authorities) {
    check_openssl(X509_STORE_add_cert(store.get(), authority.get()), "X509_STORE_add_cert");
  }
  for (const auto& list : lists) {
    check_openssl(X509_STORE_add_crl(store.get(), list.get()), "X509_STORE_add_crl");
  }
  auto* parameters = X509_STORE_get0_param(store.get());
  check_openssl(
      X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_X509_STRICT),
      "X509_VERIFY_PARAM_set_flags");
  // OpenSSL's purposes know nothing of operators, and accept certificates without any usage: roles
  // are looked at below.
  check_openssl(X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_ANY),
                "X509_VERIFY_PARAM_set_purpose");
  X509_VERIFY_PARAM_set_depth(parameters, 0);  // no CA between a member and the federation's
  X509_VERIFY_PARAM_set_auth_level(parameters, kSecurityLevel);
  return store;
}

/// What a person needs to know beyond OpenSSL's text.
std::string hint(int code, const X509& certificate) {
  switch (code) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return ": the federation's CA has not signed it";
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return ": it ended on " + to_text(validity_of(certificate).to);
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return fmt::format(": it begins on {}, and here it is {}",
                         to_text(validity_of(certificate).from), to_text(current_time()));
    case X509_V_ERR_CRL_HAS_EXPIRED:
      return ": get a new one (convoy certs revoke --refresh at the CA)";
    default:
      return "";
  }
}

std::optional<std::string> demand_refusal(const X509& certificate, const Demand& demand) {
  Subject subject;
  try {
    subject = subject_of(certificate);
  } catch (const ConfigError& error) {
    return error.what();
  }
  if (std::find(demand.roles.begin(), demand.roles.end(), subject.role) == demand.roles.end()) {
    std::vector<std::string_view> wanted;
    for (const Role role : demand.roles) wanted.push_back(to_text(role));
    return fmt::format("its role is {}, and accepted here is {}", to_text(subject.role),
                       fmt::join(wanted, " or "));
  }
  const auto& hosts = subject.hosts;
  if (!demand.server_host.empty() &&
      std::find(hosts.begin(), hosts.end(), demand.server_host) == hosts.end()) {
    return fmt::format("it is for {}, and not for {}", fmt::join(hosts, ", "), demand.server_host);
  }
  return {};
}

std::string title(const X509& certificate) {
  return fmt::format("certificate {} (serial {})", name_of(certificate),
                     serial_text(*X509_get0_serialNumber(&certificate)));
}

}  // namespace

Trust::Trust(const fs::path& authorities, const fs::path& lists) {
  const auto certificates = read_certificates(authorities);
  for (const auto& authority : certificates) require_living_authority(*authority, authorities);
  const auto revocations = read_revocation_lists(lists);
  require_one_list_each(certificates, revocations, lists);
  store_ = make_store(certificates, revocations);
}

std::optional<Refusal> Trust::chain_refusal(X509& certificate) const {
  const auto context = own_openssl<StoreContext>(X509_STORE_CTX_new(), "X509_STORE_CTX_new");
  check_openssl(X509_STORE_CTX_init(context.get(), store_.get(), &certificate, nullptr),
                "X509_STORE_CTX_init");
  const int accepted = X509_verify_cert(context.get());
  const int code = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  if (accepted == 1 && code == X509_V_OK) return {};
  const int reason = code == X509_V_OK ? X509_V_ERR_UNSPECIFIED : code;
  return Refusal{X509_verify_cert_error_string(reason) + hint(reason, certificate), reason};
}

std::optional<Refusal> Trust::refusal(X509& certificate, const Demand& demand) const {
  auto refusal = chain_refusal(certificate);
  if (!refusal) {
    if (const auto text = demand_refusal(certificate, demand)) {
      refusal = Refusal{*text, X509_V_ERR_INVALID_PURPOSE};
    }
  }
  if (refusal) refusal->text = title(certificate) + ": " + refusal->text;
  return refusal;
}

}  // namespace convoy::net::internal
