// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comm/communicator.h"

namespace convoy::compress::internal {

/// What messages between the ranks take.
struct Link {
  double latency = 0.0;           ///< seconds of an all-reduce of a few bytes
  double seconds_per_byte = 0.0;  ///< of the bytes that a rank sends in a large one
  double cpu_per_byte = 0.0;      ///< seconds of this process's CPU for them
};

/// Measures small and large all-reduces, for some milliseconds, on slow lines for a second; the
/// slowest rank counts, so that all ranks get the same. Collective. @throws CommError.
[[nodiscard]] Link measure_link(comm::Communicator& communicator);

}  // namespace convoy::compress::internal
