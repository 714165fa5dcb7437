// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "comm/internal/transport.h"
#include "comm/tcp/internal/listener.h"

namespace convoy::comm::tcp {

/// How connections are made, for a group and for those that split off from it.
struct ConnectOptions {
  std::string network;  ///< as Options::network
  std::chrono::milliseconds timeout{300'000};
};

/// Messages over connected sockets, one for each rank but this one. @throws
/// internal::TransportError.
[[nodiscard]] std::unique_ptr<internal::Transport> make_transport(int rank,
                                                                  std::vector<Descriptor> sockets,
                                                                  const ConnectOptions& options);

}  // namespace convoy::comm::tcp
