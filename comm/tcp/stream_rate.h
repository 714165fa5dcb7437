// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "comm/communicator.h"
#include "comm/tcp/tcp.h"

namespace convoy::comm::tcp {

/// Bytes a second that plain sockets carry when every rank sends to the next one and receives from
/// the one before, at once, for `duration`; of the slowest rank. What an all-reduce can reach at
/// most. Uses two threads for each rank while it measures. Collective; at least two ranks.
/// @throws CommError as make().
[[nodiscard]] double measure_stream_rate(Communicator& bootstrap,
                                         std::chrono::milliseconds duration,
                                         const Options& options = {});

}  // namespace convoy::comm::tcp
