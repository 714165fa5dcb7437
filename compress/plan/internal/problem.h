// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "compress/plan/plan.h"

namespace convoy::compress::internal {

/// A level that a layer may take, with its error in the metric.
struct Option {
  double bytes = 0.0;
  double error = 0.0;
  std::size_t level = 0;  ///< index into LayerTable::levels
};

/// The multiple-choice knapsack: one option per layer, least bytes, errors within max_error.
struct Problem {
  /// [layers] options by rising bytes and strictly falling error: none dominates another.
  std::vector<std::vector<Option>> layers;
  double max_error = 0.0;
};

/// The error of one level in the metric.
[[nodiscard]] double error_in(ErrorMetric metric, const LevelCost& cost);

/// @throws ContractError naming the layer, as lgreco() says.
void check_table(const Table& table);

/// The options that are left when every one is dropped that another undercuts in bytes without
/// more error. Equal ones: the lower index stays.
[[nodiscard]] std::vector<Option> undominated(std::vector<Option> options);

/// The knapsack of a checked table. @throws ConfigError if no plan is within the budget.
[[nodiscard]] Problem make_problem(const Table& table, double max_error, ErrorMetric metric);

/// What all byte sums of the problem are multiples of, counted from any one plan: a bound may be
/// rounded up to it. 0 where bytes are not integral.
[[nodiscard]] double granularity(const Problem& problem);

/// How far two sums of the same errors can differ by their order.
[[nodiscard]] double rounding_slack(const Problem& problem);

}  // namespace convoy::compress::internal
