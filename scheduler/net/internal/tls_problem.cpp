// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/tls_problem.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>
#include <openssl/tls1.h>
#include <spdlog/fmt/fmt.h>

namespace convoy::net::internal {
namespace {

/// What an alert says about the certificate of who gets it; "": it is about something else.
std::string_view about_certificate(int alert) {
  switch (alert) {
    case SSL3_AD_NO_CERTIFICATE:
    case TLS13_AD_CERTIFICATE_REQUIRED:
      return "none was shown";
    case SSL3_AD_BAD_CERTIFICATE:
      return "it is damaged or not as certificates of this federation are";
    case SSL3_AD_UNSUPPORTED_CERTIFICATE:
      return "it is for another role";
    case SSL3_AD_CERTIFICATE_REVOKED:
      return "it is revoked";
    case SSL3_AD_CERTIFICATE_EXPIRED:
      return "it is not valid now, by the clock there";
    case SSL3_AD_CERTIFICATE_UNKNOWN:
      return "it is not accepted there";
    case TLS1_AD_UNKNOWN_CA:
      return "its CA is not known there";
    case TLS1_AD_ACCESS_DENIED:
      return "it gives no access";
    default:
      return "";
  }
}

std::string about_alert(int alert, std::string_view other) {
  const auto about = about_certificate(alert);
  if (!about.empty()) return fmt::format("{} has refused our certificate: {}", other, about);
  // That is what an end says that accepts nobody: its files are not in order.
  const char* hint = alert == SSL_AD_INTERNAL_ERROR
                         ? ": its own revocation list or certificate may be over, as its log says"
                         : "";
  return fmt::format("{} has ended the connection with the TLS alert \"{}\"{}", other,
                     SSL_alert_desc_string_long(alert), hint);
}

}  // namespace

std::string tls_problem(unsigned long error, std::string_view other) {
  const int reason = ERR_GET_REASON(error);
  if (ERR_GET_LIB(error) != ERR_LIB_SSL) return ERR_error_string(error, nullptr);
  if (reason >= SSL_AD_REASON_OFFSET) return about_alert(reason - SSL_AD_REASON_OFFSET, other);
  switch (reason) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return fmt::format("{} has shown no certificate", other);
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_BAD_PROTOCOL_VERSION_NUMBER:
      return fmt::format("{} does not speak TLS", other);
    case SSL_R_UNSUPPORTED_PROTOCOL:
      return fmt::format("{} does not speak TLS 1.3", other);
    default:
      break;
  }
  const char* text = ERR_reason_error_string(error);
  return fmt::format("TLS: {}", text == nullptr ? "an error without a text" : text);
}

}  // namespace convoy::net::internal
