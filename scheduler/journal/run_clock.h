// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

namespace convoy::scheduler::journal {

/// Seconds since a federation's start, without those in which its server was down: after a crash it
/// goes on right behind the newest time that the log knows. One thread changes it; now() from any
/// after start().
class RunClock {
 public:
  /// Seconds from anywhere that never go back.
  using Source = std::function<double()>;

  /// @param source  empty: std::chrono::steady_clock.
  explicit RunClock(Source source = {});

  // While the log is read.
  /// It was so late.
  void observe(double time);
  /// A server that had been down went on at `time`.
  void add_outage(double time);

  /// The clock begins to go, and returns its time: 0, or just above the newest one known. That one
  /// counts as an outage from now on, unless nothing was ever observed.
  double start();
  [[nodiscard]] bool is_running() const { return is_running_; }
  /// Not before start().
  [[nodiscard]] double now() const;

  /// Whether the server was down at some time between the two, e.g. between the assignment of a
  /// round and the arrival of its update: the round's duration is not known then.
  [[nodiscard]] bool was_down_between(double begin, double end) const;

  struct State {
    bool was_used = false;
    double newest = 0.0;
    std::vector<double> outages;
  };
  /// Of this moment, if it is running.
  [[nodiscard]] State state() const;
  /// Before start().
  void restore(State state);

 private:
  Source source_;
  State state_;
  double base_ = 0.0;    // what the clock showed at start()
  double origin_ = 0.0;  // what the source showed then
  bool is_running_ = false;
};

}  // namespace convoy::scheduler::journal
