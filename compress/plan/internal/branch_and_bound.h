// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "compress/plan/internal/incumbent.h"
#include "compress/plan/internal/problem.h"

namespace convoy::compress::internal {

/// In which order layers are decided.
enum class Order : std::uint8_t {
  /// Those with most bytes at stake first, so that the rest is fine-grained and its bound tight.
  kLargestFirst,
  /// As in the table. Errors then add up exactly as in totals(), rounding included.
  kTable,
};

struct SearchResult {
  /// No plan within the budget has fewer bytes, or else the incumbent has as few.
  double proven_bytes = 0.0;
  /// Some plan was within the budget only before rounding: a cheaper one may have been hidden
  /// behind it. Order::kTable has no such blind spot.
  bool rejected = false;
};

/// Branch and bound over the layers of `problem`, offering every better plan to `incumbent`, which
/// must hold one. Breadth first: partial plans of the same layers that are dominated in (bytes,
/// error) are dropped, and those whose convex-hull bound shows nothing better. Where more than
/// `partial_plans` in all would be looked at, those with the worst bounds are dropped too, and
/// proven_bytes is the least of their bounds.
[[nodiscard]] SearchResult branch_and_bound(const Problem& problem, Order order,
                                            std::int64_t partial_plans, Incumbent& incumbent);

}  // namespace convoy::compress::internal
