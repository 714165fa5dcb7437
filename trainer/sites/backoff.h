// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

#include "base/random.h"

namespace convoy::trainer {

/// How long to wait before a server is dialled again: twice as long after each failure, and never
/// for the same time on all sites, which lost it at the same moment. One thread.
class Backoff {
 public:
  struct Limits {
    std::chrono::milliseconds first{500};
    std::chrono::milliseconds most{30'000};
  };

  /// @param seed  other on every site.
  Backoff(Limits limits, std::uint64_t seed) : limits_(limits), random_({seed}) {}

  /// From half to the whole of the time that the failures so far are worth.
  [[nodiscard]] std::chrono::milliseconds next();
  /// The site has got further with the server.
  void reset() { failures_ = 0; }
  /// A connection has ended that was open for `time`: after a long one the next wait is short.
  void lasted(std::chrono::milliseconds time) {
    if (time > limits_.most) reset();
  }

 private:
  Limits limits_;
  Random random_;
  int failures_ = 0;
};

}  // namespace convoy::trainer
