// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "compress/plan/internal/problem.h"

namespace convoy::compress::internal {

/// The paper's planner: errors rounded up to multiples of budget / `bins`, then
/// best[l][e] = min over c of best[l-1][e - error(l, c)] + bytes(l, c).
/// Differs: errors count from the layer's smallest, which needs no rounding, and layers without a
/// choice take no part. O(options * bins) time, O(layers * bins) memory.
/// @returns [layers] indices into LayerTable::levels, within the budget up to the order of sums;
///          nothing where rounding has left no plan.
[[nodiscard]] std::optional<std::vector<std::size_t>> dynamic_programme(const Problem& problem,
                                                                        std::size_t bins = 10000);

}  // namespace convoy::compress::internal
