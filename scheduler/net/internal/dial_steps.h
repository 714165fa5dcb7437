// SPDX-License-Identifier: Apache-2.0
// How a connection comes about: each step waits for its end, and throws a DialError that names
// step, address and reason.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "scheduler/net/dialer.h"
#include "scheduler/net/internal/step_waiter.h"
#include "scheduler/net/internal/tls_stream.h"

namespace convoy::net::internal {

[[nodiscard]] std::string text_of(const HostPort& place);

[[nodiscard]] std::vector<Tcp::endpoint> resolve(StepWaiter& waiter, const HostPort& place,
                                                 std::chrono::milliseconds limit);

/// To the first address that answers; all of them share `limit`.
[[nodiscard]] Tcp::socket connect(StepWaiter& waiter, const std::vector<Tcp::endpoint>& addresses,
                                  const HostPort& place, std::chrono::milliseconds limit);

/// Has the proxy at the other end of `socket` connect to the server.
void ask_proxy(StepWaiter& waiter, Tcp::socket& socket, const HostPort& proxy,
               const HostPort& server, std::chrono::milliseconds limit);

[[nodiscard]] std::unique_ptr<TlsStream> shake_hands(StepWaiter& waiter, Tcp::socket& socket,
                                                     SSL_CTX& context, const HostPort& server,
                                                     std::chrono::milliseconds limit);

}  // namespace convoy::net::internal
