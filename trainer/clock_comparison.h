// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>

#include "base/timeline.h"
#include "comm/communicator.h"

namespace convoy::trainer {

/// How far this rank's steady clock was ahead of rank 0's, at a moment on this rank's.
struct ClockReading {
  Timeline::Clock::time_point at;
  std::chrono::nanoseconds ahead{0};
};

/// True where all ranks read one clock: those of one boot of one host. Collective.
[[nodiscard]] bool have_one_clock(comm::Communicator& communicator);

/// Rank 0 asks each rank in turn what time it is, 16 times; the answer that came back fastest
/// counts, taken as given half-way. Off by at most half of that round trip. Collective.
/// @param now  this rank's clock.
[[nodiscard]] ClockReading compare_clocks(
    comm::Communicator& communicator,
    const std::function<Timeline::Clock::time_point()>& now = Timeline::Clock::now);

/// How far the clock was ahead at a moment, if between two readings it has drifted evenly. Pure.
[[nodiscard]] std::chrono::nanoseconds ahead_at(const ClockReading& first,
                                                const ClockReading& second,
                                                Timeline::Clock::time_point at);

}  // namespace convoy::trainer
