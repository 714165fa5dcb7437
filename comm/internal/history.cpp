// SPDX-License-Identifier: Apache-2.0
#include "comm/internal/history.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace convoy::comm::internal {

std::string History::report(Clock::time_point now,
                            const std::function<bool(const Call&)>& is_under_way) const {
  std::string text;
  for (std::size_t i = added_ - std::min(added_, kCalls); i < added_; ++i) {
    const Entry& entry = calls_[i % kCalls];
    const std::chrono::duration<double> age = now - entry.began;
    text += fmt::format("{}{} {:.1f} s ago, {}", text.empty() ? "" : "; ", to_string(entry.call),
                        age.count(), is_under_way(entry.call) ? "under way" : "done");
  }
  return text.empty() ? "none" : text;
}

std::string History::collective(std::uint64_t sequence) const {
  for (std::size_t i = 0; i < std::min(added_, kCalls); ++i) {
    const Call& call = calls_[i].call;
    if (is_collective(call.kind) && call.sequence == sequence) return to_string(call);
  }
  return fmt::format("the call of sequence {}", sequence);
}

}  // namespace convoy::comm::internal
