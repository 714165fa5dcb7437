// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/openssl.h"

#include <openssl/err.h>

#include <array>
#include <stdexcept>

namespace convoy::net::internal {

std::string take_openssl_errors() {
  std::string text;
  while (const unsigned long code = ERR_get_error()) {
    std::array<char, 256> line{};
    ERR_error_string_n(code, line.data(), line.size());
    if (!text.empty()) text += "; ";
    text += line.data();
  }
  return text.empty() ? "OpenSSL gives no reason" : text;
}

void fail_openssl(const std::string& what) {
  throw std::runtime_error(what + ": " + take_openssl_errors());
}

}  // namespace convoy::net::internal
