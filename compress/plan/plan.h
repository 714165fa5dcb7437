// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "compress/plan/table.h"

namespace convoy::compress {

/// How errors of layers add up under the budget.
enum class ErrorMetric : std::uint8_t {
  kSquaredL2,  ///< squared norms: bounds the norm of the whole gradient's error
  kL2,         ///< norms, as the published code adds them
};

/// What the planner may spend, relative to a uniform plan.
struct Budget {
  /// max_error = alpha * sum over layers of the error at `reference`; a layer that lacks it counts
  /// with its smallest error.
  Level reference;
  /// Larger: fewer bytes, more error. From 1 on the uniform plan at `reference` is within budget.
  double alpha = 1.0;
  ErrorMetric metric = ErrorMetric::kSquaredL2;
};

/// One level per layer.
struct Choice {
  std::vector<std::size_t> levels;  ///< [layers] index into LayerTable::levels
  double bytes = 0.0;               ///< sum over layers of the chosen levels
  double error = 0.0;               ///< sum over layers, in table order, in the metric
  double max_error = 0.0;           ///< the budget; error <= max_error
  /// No plan within the budget has fewer bytes: the Lagrangian (convex hull) bound.
  double lower_bound_bytes = 0.0;
  /// The same, as far as branch and bound has raised it; equals `bytes` for a proven optimum.
  double proven_bytes = 0.0;

  /// No plan within the budget has fewer bytes than this one.
  [[nodiscard]] bool is_optimal() const { return proven_bytes >= bytes; }
  /// How far above the optimum this plan can be at most: 0.001 is 0.1 %.
  [[nodiscard]] double gap() const { return is_optimal() ? 0.0 : bytes / proven_bytes - 1.0; }
};

/// How long the planner tries to prove its plan. Work is counted and not timed, so that every
/// machine stops at the same place.
struct Effort {
  /// Partial plans looked at, per layer of the table; more: smaller proven gap, linearly more time
  /// (some 20 ns each) where a table is hard. Most tables need a small part of it.
  std::int64_t partial_plans = 4000;
};

/// max_error of `budget` for `table`. @throws ContractError as lgreco(), and for alpha < 0 or NaN.
[[nodiscard]] double max_error(const Table& table, const Budget& budget);

/// Every layer at `level`, layers that lack it at their smallest error (ties: the lower index).
/// max_error is the plan's own error; nothing is claimed about bounds. Local; pure.
/// @throws ContractError as lgreco().
[[nodiscard]] Choice uniform(const Table& table, Level level, ErrorMetric metric);

/// One level per layer: least total bytes with total error <= max_error. Never more bytes than a
/// uniform plan within the budget; the error, summed in table order, never exceeds it. Levels that
/// cost the same take the lower index. The same table gives the same plan on every machine. Local;
/// pure. Optimal where `effort` suffices, which gap() tells.
/// @throws ContractError if a layer has no level, or an entry is NaN, infinite or negative, naming
///         the layer; ConfigError if the smallest possible error is above the budget, saying by how
///         much.
/// Paper: L-GreCo, arXiv:2210.17357, section 4. Differs: uniform and hull-greedy plans are closed
/// by branch and bound, and the paper's dynamic programme is tried only where that leaves more
/// than 0.1 % open; errors are squared by default.
[[nodiscard]] Choice lgreco(const Table& table, double max_error, ErrorMetric metric,
                            Effort effort = {});

/// lgreco() with an effort for reports: what the exact optimum is, or how near it is proven.
/// At most some ten times slower, mostly as fast.
[[nodiscard]] Choice optimum(const Table& table, double max_error, ErrorMetric metric);

/// Stable over machines and builds: layer names and chosen levels, in order.
[[nodiscard]] std::uint64_t hash(const Table& table, const Choice& choice);
/// What one layer adds to the text that is hashed.
[[nodiscard]] std::string hash_text(const std::string& name, Level level);

}  // namespace convoy::compress
