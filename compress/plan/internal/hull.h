// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "compress/plan/internal/problem.h"

namespace convoy::compress::internal {

/// One edge of a layer's convex hull in the (error, bytes) plane, walked from the most exact option
/// to the cheapest: it saves bytes and adds error. Between hull points a fraction of a step can be
/// taken, which is the linear relaxation that all bounds here come from.
struct Step {
  double saved_bytes = 0.0;
  double added_error = 0.0;
  double price = 0.0;      ///< added error per byte saved; rises along a hull
  std::size_t layer = 0;   ///< index into Problem::layers
  std::size_t option = 0;  ///< option that it leads to
};

/// The hull of every layer, cheapest price first; those of one layer stay in their order. Taken one
/// after the other from the most exact plan on, they pass through the optima of the relaxation.
[[nodiscard]] std::vector<Step> hull_steps(const Problem& problem);

/// What walking the hull gives.
struct Relaxation {
  double bound = 0.0;                ///< no plan within the budget has fewer bytes
  double price = 0.0;                ///< of the step that did not fit whole; infinite if all did
  std::vector<std::size_t> options;  ///< a plan within the budget: the greedy one
};

/// O(steps log steps).
[[nodiscard]] Relaxation relax(const Problem& problem);

/// The problem without the options that no plan within the budget with at most `bytes` bytes can
/// contain. Every layer keeps at least one.
[[nodiscard]] Problem without_hopeless_options(const Problem& problem, double bytes);

}  // namespace convoy::compress::internal
