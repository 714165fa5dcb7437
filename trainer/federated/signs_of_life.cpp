// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/signs_of_life.h"

namespace convoy::trainer {
namespace {

/// Far beyond the longest nap of a listener that runs.
constexpr std::chrono::seconds kStoodStill{1};

}  // namespace

WallTime::duration SignsOfLife::stood_still(WallTime now) const {
  const auto away = now - looked_;
  return away > kStoodStill ? away : WallTime::duration{};
}

void SignsOfLife::look(WallTime now) {
  const auto away = stood_still(now);
  for (auto& last : last_) last += away;
  looked_ = now;
}

WallTime SignsOfLife::last(std::int64_t client, WallTime now) const {
  return last_.at(static_cast<std::size_t>(client)) + stood_still(now);
}

}  // namespace convoy::trainer
