// SPDX-License-Identifier: Apache-2.0
#include "launch/process/stop_policy.h"

#include <csignal>

namespace convoy::launch {

int StopPolicy::terminate(Clock::time_point now) {
  state_ = State::kTerminating;
  deadline_ = now + kKillAfter;
  return SIGTERM;
}

int StopPolicy::on_signal(Clock::time_point now, bool can_checkpoint) {
  if (state_ == State::kTerminating) return SIGTERM;
  if (state_ == State::kStopping || !can_checkpoint) return terminate(now);
  state_ = State::kStopping;
  deadline_ = now + grace_;
  return SIGUSR1;
}

std::optional<int> StopPolicy::on_time(Clock::time_point now) {
  if (now < deadline_) return std::nullopt;
  if (state_ == State::kStopping) return terminate(now);
  deadline_ = now + kKillAfter;
  return SIGKILL;
}

}  // namespace convoy::launch
