// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>

namespace convoy::launch {

/// What `convoy launch` sends to mpirun after a Ctrl-C or a SIGTERM of its own: SIGUSR1, which
/// makes the ranks write a checkpoint and end; after `grace`, or at a second signal, SIGTERM; then
/// SIGKILL. Pure: the time comes in, signals go out.
class StopPolicy {
 public:
  using Clock = std::chrono::steady_clock;

  /// How long mpirun may take to end its ranks after SIGTERM.
  static constexpr std::chrono::seconds kKillAfter{10};

  explicit StopPolicy(Clock::duration grace) : grace_(grace) {}

  /// A signal has come. `can_checkpoint`: the ranks understand SIGUSR1 by now; before that it would
  /// kill them, and there is nothing to save. @returns the signal to send on.
  [[nodiscard]] int on_signal(Clock::time_point now, bool can_checkpoint);
  /// Time has passed. @returns the signal to send on, if it is due.
  [[nodiscard]] std::optional<int> on_time(Clock::time_point now);

 private:
  enum class State { kRunning, kStopping, kTerminating };

  int terminate(Clock::time_point now);

  Clock::duration grace_;
  State state_ = State::kRunning;
  Clock::time_point deadline_ = Clock::time_point::max();
};

}  // namespace convoy::launch
