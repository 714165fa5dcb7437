// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace convoy::compress::internal {

/// Whether steps by plan or dense ones are faster, found by trying the other kind now and then: a
/// few steps, again after `every` steps, and ever more rarely (sixteen times) while the answer is
/// clear. Who is slower twice in a row, or clearly slower once, gives way. Knows no clock and no
/// ranks; the same on all ranks because they call it alike and agree on seconds.
class StepGuard {
 public:
  /// The largest of what the ranks pass. Called on all of them in the same steps.
  using Agree = std::function<double(double)>;

  /// What a checkpoint holds.
  struct State {
    bool dense = false;           ///< steps are dense until further notice
    std::int64_t next_trial = 0;  ///< step
    std::int64_t interval = 0;    ///< steps
    int losses = 0;               ///< trials in a row that the present kind has lost
  };

  /// @param first  the first step that may be a trial. @param every  positive.
  StepGuard(std::int64_t first, std::int64_t every);

  /// Step `step` begins.
  /// @param seconds  what the step before took this rank; 0 where there was none.
  /// @param dense_costs  seconds that a dense step is predicted to take longer; 0: unknown. Where
  ///                     that is half a step or more, no dense step is tried.
  /// @return true where the step goes dense.
  bool begin_step(std::int64_t step, double seconds, double dense_costs, const Agree& agree);

  [[nodiscard]] const State& state() const { return state_; }
  /// Forgets what has been measured, and a trial that is going on.
  void load(const State& state);

 private:
  void decide(std::int64_t step, double present, double other);
  void postpone(std::int64_t step, std::int64_t factor);

  std::int64_t every_;
  State state_;
  bool trying_ = false;
  std::int64_t trial_ends_ = 0;  // step
  std::vector<double> present_;  // seconds of steps since the last change
  std::vector<double> other_;    // of the trial
};

}  // namespace convoy::compress::internal
