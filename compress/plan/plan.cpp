// SPDX-License-Identifier: Apache-2.0
#include "compress/plan/plan.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <span>
#include <string>

#include "base/errors.h"
#include "base/hash.h"
#include "compress/plan/internal/branch_and_bound.h"
#include "compress/plan/internal/dynamic_programme.h"
#include "compress/plan/internal/exchange.h"
#include "compress/plan/internal/hull.h"
#include "compress/plan/internal/incumbent.h"
#include "compress/plan/internal/problem.h"

namespace convoy::compress {
namespace {

using internal::Incumbent;
using internal::Order;
using internal::Problem;

/// Index of `level`, or of the smallest error. Ties: the lower index.
std::size_t level_or_most_exact(const LayerTable& layer, Level level) {
  std::size_t least = 0;
  for (std::size_t i = 0; i < layer.levels.size(); ++i) {
    if (layer.levels[i].level == level) return i;
    if (layer.levels[i].error < layer.levels[least].error) least = i;
  }
  return least;
}

std::vector<std::size_t> uniform_levels(const Table& table, Level level) {
  std::vector<std::size_t> levels;
  levels.reserve(table.size());
  for (const LayerTable& layer : table) levels.push_back(level_or_most_exact(layer, level));
  return levels;
}

/// `levels` with each dominated level replaced by the cheapest that has no more error.
std::vector<std::size_t> improved(const Table& table, const Problem& problem, ErrorMetric metric,
                                  std::vector<std::size_t> levels) {
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const double error = internal::error_in(metric, table[i].levels[levels[i]]);
    for (const internal::Option& option : problem.layers[i]) {
      if (option.error > error) continue;
      levels[i] = option.level;
      break;
    }
  }
  return levels;
}

/// Plans that are there without searching: each uniform one (first, so that they win ties), the
/// most exact, and the greedy one on the hull.
void offer_simple_plans(const Table& table, const Problem& problem, ErrorMetric metric,
                        const internal::Relaxation& relaxation, Incumbent& incumbent) {
  std::set<Level> known;
  for (const LayerTable& layer : table) {
    for (const LevelCost& cost : layer.levels) known.insert(cost.level);
  }
  for (const Level level : known) {
    (void)incumbent.offer(improved(table, problem, metric, uniform_levels(table, level)));
  }
  std::vector<std::size_t> exact;
  std::vector<std::size_t> greedy;
  for (std::size_t i = 0; i < problem.layers.size(); ++i) {
    exact.push_back(problem.layers[i].back().level);
    greedy.push_back(problem.layers[i][relaxation.options[i]].level);
  }
  (void)incumbent.offer(exact);
  (void)incumbent.offer(greedy);
}

/// One pass of branch and bound on what is worth a look. @returns the proven bytes.
double search(const Problem& problem, std::int64_t partial_plans, Incumbent& incumbent) {
  const Problem core = internal::without_hopeless_options(problem, incumbent.bytes());
  const auto found =
      internal::branch_and_bound(core, Order::kLargestFirst, partial_plans, incumbent);
  if (!found.rejected) return found.proven_bytes;
  return internal::branch_and_bound(core, Order::kTable, partial_plans, incumbent).proven_bytes;
}

/// Exchanges levels from the incumbent on, and from what the dynamic programme finds with bins of
/// several sizes: each size rounds the errors in another way, and so starts somewhere else.
void polish(const Problem& problem, Incumbent& incumbent) {
  constexpr std::size_t kMostBins = 10'000;  // the paper's
  constexpr std::size_t kBinsPerLayer = 20;
  internal::exchange_pairs(problem, incumbent);
  for (const std::size_t factor : {1, 2, 4}) {
    const std::size_t bins = std::min(kMostBins, factor * kBinsPerLayer * problem.layers.size());
    if (const auto levels = internal::dynamic_programme(problem, bins)) {
      Incumbent other = incumbent.restarted(*levels);
      internal::exchange_pairs(problem, other);
      (void)incumbent.offer(other.levels());
    }
    if (bins == kMostBins) return;
  }
}

/// Raises `proven` to the incumbent's bytes, or as far as the work allows. A short pass comes
/// first: the better its plan, the less is left for the long one.
double close_gap(const Problem& problem, std::int64_t partial_plans, double proven,
                 Incumbent& incumbent) {
  constexpr std::int64_t kShortPass = 16;
  for (const std::int64_t work : {partial_plans / kShortPass, partial_plans}) {
    proven = std::max(proven, search(problem, work, incumbent));
    if (proven >= incumbent.bytes()) return proven;
  }
  constexpr double kGoodEnough = 0.999;  // not worth the dynamic programme's time
  if (proven >= kGoodEnough * incumbent.bytes()) return proven;
  polish(internal::without_hopeless_options(problem, incumbent.bytes()), incumbent);
  return proven;
}

}  // namespace

double max_error(const Table& table, const Budget& budget) {
  require(std::isfinite(budget.alpha) && budget.alpha >= 0.0,
          fmt::format("alpha must be finite and not negative, not {}", budget.alpha));
  return budget.alpha * uniform(table, budget.reference, budget.metric).error;
}

Choice uniform(const Table& table, Level level, ErrorMetric metric) {
  internal::check_table(table);
  Choice choice;
  choice.levels = uniform_levels(table, level);
  const internal::Totals sum = internal::totals(table, metric, choice.levels);
  choice.bytes = sum.bytes;
  choice.error = sum.error;
  choice.max_error = sum.error;
  return choice;
}

Choice lgreco(const Table& table, double max_error, ErrorMetric metric, Effort effort) {
  internal::check_table(table);
  require(std::isfinite(max_error) && max_error >= 0.0,
          fmt::format("max_error must be finite and not negative, not {}", max_error));
  require(effort.partial_plans > 0, "effort.partial_plans must be positive");
  const Problem problem = internal::make_problem(table, max_error, metric);
  const internal::Relaxation relaxation = internal::relax(problem);
  Incumbent incumbent(table, max_error, metric);
  offer_simple_plans(table, problem, metric, relaxation, incumbent);
  const auto work = effort.partial_plans * static_cast<std::int64_t>(table.size());
  const double proven = close_gap(problem, work, relaxation.bound, incumbent);
  Choice choice;
  choice.levels = incumbent.levels();
  choice.bytes = incumbent.bytes();
  choice.error = incumbent.error();
  choice.max_error = max_error;
  choice.lower_bound_bytes = std::min(relaxation.bound, choice.bytes);
  choice.proven_bytes = std::min(proven, choice.bytes);
  return choice;
}

Choice optimum(const Table& table, double max_error, ErrorMetric metric) {
  return lgreco(table, max_error, metric, {.partial_plans = 10 * Effort{}.partial_plans});
}

std::string hash_text(const std::string& name, Level level) {
  return fmt::format("{}:{}={}\n", name.size(), name, to_text(level));
}

std::uint64_t hash(const Table& table, const Choice& choice) {
  require(choice.levels.size() == table.size(), "the choice belongs to another table");
  std::string text;
  for (std::size_t i = 0; i < table.size(); ++i) {
    text += hash_text(table[i].name, table[i].levels.at(choice.levels[i]).level);
  }
  return hash64(std::as_bytes(std::span(text)));
}

}  // namespace convoy::compress
