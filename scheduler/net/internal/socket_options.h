// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace convoy::net::internal {

/// What every connection's socket has: it does not block, small frames go out at once, and the
/// system finds out that a silent peer is gone. @param patience  how long the system waits for the
/// peer to acknowledge what was written. @throws std::system_error.
void set_socket_options(int descriptor, std::chrono::milliseconds patience);

}  // namespace convoy::net::internal
