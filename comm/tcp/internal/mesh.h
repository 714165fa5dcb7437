// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "comm/communicator.h"
#include "comm/tcp/internal/listener.h"
#include "comm/tcp/tcp.h"

namespace convoy::comm::tcp {

/// The first bytes in both directions: who speaks to whom, and a secret that shows that the speaker
/// belongs to the job. The caller sends the secret of the rank that it calls, which answers with
/// the caller's.
struct Greeting {
  std::array<char, 8> magic{'c', 'o', 'n', 'v', 'o', 'y', 'T', '1'};
  Secret secret{};
  std::uint32_t from = 0;
  std::uint32_t to = 0;
};
static_assert(sizeof(Greeting) == 32, "no byte of a greeting may be undefined");

/// Connects all ranks in pairs; every rank calls it. Higher ranks call lower ones.
/// @param offers  of all ranks; own: that of `listener`.
/// @return one socket for each rank, none for the own; non-blocking.
/// @throws TransportError that names a rank which cannot be reached, or is missing after `timeout`.
[[nodiscard]] std::vector<Descriptor> connect_all(int rank, const std::vector<Offer>& offers,
                                                  const Listener& listener,
                                                  std::chrono::milliseconds timeout);

/// The same among the ranks of `bootstrap`, which carries the offers. Collective. @throws
/// CommError.
[[nodiscard]] std::vector<Descriptor> connect(Communicator& bootstrap, const Options& options);

}  // namespace convoy::comm::tcp
