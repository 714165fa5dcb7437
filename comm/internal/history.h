// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "comm/internal/exchange.h"

namespace convoy::comm::internal {

/// The last calls of one rank: what it says when something has gone wrong.
class History {
 public:
  static constexpr std::size_t kCalls = 8;
  using Clock = std::chrono::steady_clock;

  void add(const Call& call, Clock::time_point now) { calls_[added_++ % kCalls] = {call, now}; }
  /// "barrier (sequence 1) 5.2 s ago, done; all_reduce of 4096 float32 (sequence 2) 5.0 s ago,
  /// under way", the oldest first.
  [[nodiscard]] std::string report(Clock::time_point now,
                                   const std::function<bool(const Call&)>& is_under_way) const;
  /// "in all_reduce of 4096 float32 (sequence 2)"; of the number alone where that is too long ago.
  [[nodiscard]] std::string collective(std::uint64_t sequence) const;

 private:
  struct Entry {
    Call call;
    Clock::time_point began;
  };
  std::array<Entry, kCalls> calls_{};
  std::size_t added_ = 0;
};

}  // namespace convoy::comm::internal
