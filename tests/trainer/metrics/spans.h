// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/timeline.h"

namespace convoy::tests {

/// A span from `begin` to `end`, in milliseconds since some moment.
inline Timeline::Span span_of(Phase phase, const std::string& what, double begin, double end,
                              std::int64_t step = 0) {
  const auto at = [](double milliseconds) {
    constexpr std::chrono::hours kStart{5};
    return Timeline::Clock::time_point(kStart) +
           std::chrono::duration_cast<Timeline::Clock::duration>(
               std::chrono::duration<double, std::milli>(milliseconds));
  };
  return {phase, what, at(begin), at(end), step};
}

}  // namespace convoy::tests
