// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>

namespace convoy::net::internal {

/// What every connection's socket has: it does not block, small frames go out at once, and the
/// system finds out that a silent peer is gone. @param patience  how long the system waits for the
/// peer to acknowledge what was written. @throws std::system_error.
void set_socket_options(int descriptor, std::chrono::milliseconds patience);

/// Of what was written, what the peer's system has not acknowledged. @throws std::system_error.
[[nodiscard]] std::size_t unacknowledged_bytes(int descriptor);

}  // namespace convoy::net::internal
