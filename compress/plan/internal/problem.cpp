// SPDX-License-Identifier: Apache-2.0
#include "compress/plan/internal/problem.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>

#include "base/errors.h"

namespace convoy::compress::internal {
namespace {

void check_entry(const LayerTable& layer, std::size_t level, const char* what, double value) {
  if (std::isfinite(value) && value >= 0.0) return;
  require(false, fmt::format("layer \"{}\", level {}: {} must be finite and not negative, not {}",
                             layer.name, to_text(layer.levels[level].level), what, value));
}

/// Sum of the smallest errors, in table order.
double smallest_error(const Problem& problem) {
  double sum = 0.0;
  for (const auto& options : problem.layers) sum += options.back().error;
  return sum;
}

void require_feasible(const Problem& problem) {
  const double smallest = smallest_error(problem);
  if (smallest <= problem.max_error) return;
  throw ConfigError(fmt::format(
      "no plan is within the budget: the smallest possible error is {:.9g}, and max_error {:.9g} "
      "is {:.3g} too small; raise alpha or max_error, or add finer levels",
      smallest, problem.max_error, smallest - problem.max_error));
}

}  // namespace

double error_in(ErrorMetric metric, const LevelCost& cost) {
  return metric == ErrorMetric::kL2 ? std::sqrt(cost.error) : cost.error;
}

void check_table(const Table& table) {
  for (const LayerTable& layer : table) {
    if (layer.levels.empty()) require(false, fmt::format("layer \"{}\" has no level", layer.name));
    for (std::size_t i = 0; i < layer.levels.size(); ++i) {
      check_entry(layer, i, "bytes", layer.levels[i].bytes);
      check_entry(layer, i, "error", layer.levels[i].error);
    }
  }
}

std::vector<Option> undominated(std::vector<Option> options) {
  std::sort(options.begin(), options.end(), [](const Option& a, const Option& b) {
    return std::tie(a.bytes, a.error, a.level) < std::tie(b.bytes, b.error, b.level);
  });
  double least = std::numeric_limits<double>::infinity();
  std::erase_if(options, [&](const Option& option) {
    if (option.error >= least) return true;
    least = option.error;
    return false;
  });
  return options;
}

Problem make_problem(const Table& table, double max_error, ErrorMetric metric) {
  Problem problem{.layers = {}, .max_error = max_error};
  problem.layers.reserve(table.size());
  for (const LayerTable& layer : table) {
    std::vector<Option> options;
    for (std::size_t i = 0; i < layer.levels.size(); ++i) {
      options.push_back({layer.levels[i].bytes, error_in(metric, layer.levels[i]), i});
    }
    problem.layers.push_back(undominated(std::move(options)));
  }
  require_feasible(problem);
  // Larger errors fit in no plan; without them no sum below can overflow or lose digits to them.
  for (auto& options : problem.layers) {
    std::erase_if(options, [&](const Option& option) { return option.error > max_error; });
  }
  return problem;
}

double granularity(const Problem& problem) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  std::int64_t divisor = 0;
  for (const auto& options : problem.layers) {
    for (const Option& option : options) {
      if (option.bytes >= kExact || option.bytes != std::floor(option.bytes)) return 0.0;
      divisor = std::gcd(divisor, static_cast<std::int64_t>(option.bytes) -
                                      static_cast<std::int64_t>(options.front().bytes));
    }
  }
  return static_cast<double>(divisor);
}

double rounding_slack(const Problem& problem) {
  return problem.max_error * static_cast<double>(problem.layers.size() + 1) *
         std::numeric_limits<double>::epsilon();
}

}  // namespace convoy::compress::internal
