// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "scheduler/net/internal/openssl.h"
#include "scheduler/net/internal/tls_stream.h"

namespace convoy::net::internal {

/// Reads and writes the socket of `channel`, which must outlive it. Unlike OpenSSL's own, writing
/// to a peer that has gone raises no SIGPIPE.
[[nodiscard]] Bio new_socket_bio(TlsStream::Channel& channel);

}  // namespace convoy::net::internal
