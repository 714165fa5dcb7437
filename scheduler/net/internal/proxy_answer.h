// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "scheduler/net/dialer.h"

namespace convoy::net::internal {

/// Of a proxy's answer, that is taken.
inline constexpr std::size_t kMaxProxyAnswerBytes = std::size_t{8} << 10;

/// What asks an HTTP proxy for a connection to `server`.
[[nodiscard]] std::string proxy_request(const HostPort& server);

/// What a proxy has answered so far.
struct ProxyAnswer {
  bool is_whole = false;
  std::string problem;  ///< why there will be no connection; "" if there is, or may be
};
[[nodiscard]] ProxyAnswer read_proxy_answer(std::string_view received);

}  // namespace convoy::net::internal
