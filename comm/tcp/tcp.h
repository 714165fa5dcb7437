// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "comm/communicator.h"

namespace convoy::comm::tcp {

struct Options {
  /// Only addresses of this host in this network ("10.1.0.0/16", "fd00::/8") are used; empty: any,
  /// those in a network that both hosts have first.
  std::string network;
};

/// A communicator over the same ranks whose messages travel on connections of its own, one for each
/// pair of ranks. A waiting thread sleeps in the kernel until data comes; there is no other thread.
/// Addresses are exchanged over `bootstrap`, whose timeout and chunk size it takes over. Whoever
/// connects without the secrets that travel with them is dropped; nothing listens afterwards. What
/// is sent is not encrypted. Collective, blocking; `bootstrap` may go afterwards.
/// @throws CommError that names the ranks which cannot be reached, or says that this host has no
///         address in Options::network; ConfigError if that is no network.
[[nodiscard]] std::unique_ptr<Communicator> make(Communicator& bootstrap,
                                                 const Options& options = {});

/// @throws ConfigError if `network` is neither empty nor an IPv4 or IPv6 network with its length.
void check_network(const std::string& network);

}  // namespace convoy::comm::tcp
