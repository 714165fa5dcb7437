// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "compress/plan/internal/incumbent.h"
#include "compress/plan/internal/problem.h"

namespace convoy::compress::internal {

/// Improves the incumbent by changing the levels of one or two layers at a time, the best change
/// first, until none saves bytes. O(n log n) a change for n options in all.
void exchange_pairs(const Problem& problem, Incumbent& incumbent);

}  // namespace convoy::compress::internal
