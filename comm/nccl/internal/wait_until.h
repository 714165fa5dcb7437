// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace convoy::comm::nccl {

/// @return false when `is_done` was not true within `at_most`.
template <typename Question>
bool wait_until(const Question& is_done, std::chrono::steady_clock::duration at_most) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::microseconds kLongestNap{1000};
  const auto deadline = Clock::now() + at_most;
  for (std::chrono::microseconds nap{20}; !is_done(); nap = std::min(2 * nap, kLongestNap)) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(nap);
  }
  return true;
}

}  // namespace convoy::comm::nccl
