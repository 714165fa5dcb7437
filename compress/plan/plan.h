// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "compress/plan/table.h"

namespace convoy::compress {

/// How errors of layers add up under the budget.
enum class ErrorMetric : std::uint8_t {
  kSquaredL2,  ///< squared norms: bounds the norm of the whole gradient's error
  kL2,         ///< norms, as the published code adds them
};

/// What the planner may spend.
struct Budget {
  /// max_error = alpha * sum over layers of the error at `reference`; a layer that lacks it counts
  /// with its smallest error.
  Level reference;
  double alpha = 1.0;
  ErrorMetric metric = ErrorMetric::kSquaredL2;
};

/// One level per layer.
struct Choice {
  std::vector<std::size_t> levels;  ///< [layers] index into LayerTable::levels
  double bytes = 0.0;               ///< sum of the chosen levels
  double error = 0.0;               ///< sum of the chosen levels, in the metric
  double max_error = 0.0;           ///< the budget
  double lower_bound_bytes = 0.0;   ///< no plan within the budget has fewer (convex hull bound)
};

/// The budget in numbers: max_error of `budget` for `table`. @throws as lgreco().
[[nodiscard]] double max_error(const Table& table, const Budget& budget);

/// Every layer at `level`, layers that lack it at their smallest error (ties: the lower index).
/// Local; pure. @throws ContractError if a layer has no level.
[[nodiscard]] Choice uniform(const Table& table, Level level, ErrorMetric metric);

/// One level per layer: least total bytes with total error <= max_error. Within 0.1 % of the
/// optimum; the true error is within the budget, always; never more bytes than a feasible uniform
/// plan. Ties take the lower index, so all ranks agree. Local; pure.
/// @throws ContractError if a layer has no level, or an entry is NaN or negative, naming the layer;
///         ConfigError if the smallest possible error is above the budget, saying by how much.
/// Paper: L-GreCo, arXiv:2210.17357, section 4. Differs: hull-greedy, the paper's dynamic programme
/// and uniform are closed by branch and bound; errors are squared by default.
[[nodiscard]] Choice lgreco(const Table& table, double max_error, ErrorMetric metric);

}  // namespace convoy::compress
