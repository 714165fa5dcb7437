// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "compress/plan/internal/hull.h"
#include "compress/plan/internal/problem.h"

namespace convoy::compress::internal {

/// The convex-hull bound of the layers that are not decided yet, as a function of the error that
/// they may still make.
class SuffixBound {
 public:
  /// Of all layers in `layers`.
  SuffixBound(const Problem& problem, const std::vector<std::size_t>& layers);

  /// Takes `layer` out: it is decided now. O(steps).
  void decide(const Problem& problem, std::size_t layer);

  /// Smallest error that the open layers can make.
  [[nodiscard]] double least_error() const { return error_after_.front(); }

  /// How many hull steps fit whole into `room` >= least_error(). Rooms that are asked for one after
  /// the other and only get smaller cost O(1) each: `hint` is the answer before.
  [[nodiscard]] std::size_t steps_within(double room, std::size_t hint) const {
    while (error_after_[hint] > room) --hint;
    return hint;
  }
  [[nodiscard]] std::size_t step_count() const { return steps_.size(); }

  /// Error and bytes of the open layers after `taken` steps: a plan.
  [[nodiscard]] double error_after(std::size_t taken) const { return error_after_[taken]; }
  [[nodiscard]] double bytes_after(std::size_t taken) const { return bytes_after_[taken]; }
  /// With as much of the next step as fits: a bound.
  [[nodiscard]] double bound(std::size_t taken, double room) const {
    if (taken == steps_.size()) return bytes_after_[taken];
    const Step& next = steps_[taken];
    return bytes_after_[taken] -
           next.saved_bytes * ((room - error_after_[taken]) / next.added_error);
  }

  /// The levels that `taken` steps lead to, written for the open layers only.
  void write_levels(const Problem& problem, std::size_t taken,
                    std::vector<std::size_t>& levels) const;

 private:
  void add_up(const Problem& problem);

  std::vector<bool> open_;
  std::vector<Step> steps_;
  std::vector<double> error_after_;  ///< [steps + 1] from the most exact on; sums of what is added
  std::vector<double> bytes_after_;  ///< [steps + 1] from the cheapest back, so nothing cancels
};

}  // namespace convoy::compress::internal
