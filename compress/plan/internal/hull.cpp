// SPDX-License-Identifier: Apache-2.0
#include "compress/plan/internal/hull.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace convoy::compress::internal {
namespace {

/// Relative error of a few sums, with a wide margin.
constexpr double kRounding = 1e-12;

Step step_between(const std::vector<Option>& options, std::size_t layer, std::size_t from,
                  std::size_t to) {
  Step step;
  step.saved_bytes = options[from].bytes - options[to].bytes;
  step.added_error = options[to].error - options[from].error;
  step.price = step.added_error / step.saved_bytes;
  step.layer = layer;
  step.option = to;
  return step;
}

/// Monotone chain from the most exact option (the last) to the cheapest.
void append_hull(const std::vector<Option>& options, std::size_t layer, std::vector<Step>& steps) {
  const std::size_t first = steps.size();
  for (std::size_t to = options.size() - 1; to-- > 0;) {
    const auto come_from = [&] {
      return steps.size() > first ? steps.back().option : options.size() - 1;
    };
    Step step = step_between(options, layer, come_from(), to);
    while (steps.size() > first && step.price <= steps.back().price) {
      steps.pop_back();
      step = step_between(options, layer, come_from(), to);
    }
    steps.push_back(step);
  }
}

/// Every layer at its smallest error.
std::vector<std::size_t> most_exact(const Problem& problem) {
  std::vector<std::size_t> options;
  options.reserve(problem.layers.size());
  for (const auto& layer : problem.layers) options.push_back(layer.size() - 1);
  return options;
}

double bytes_of(const Problem& problem, const std::vector<std::size_t>& options) {
  double sum = 0.0;
  for (std::size_t i = 0; i < options.size(); ++i) sum += problem.layers[i][options[i]].bytes;
  return sum;
}

double error_of(const Problem& problem, const std::vector<std::size_t>& options) {
  double sum = 0.0;
  for (std::size_t i = 0; i < options.size(); ++i) sum += problem.layers[i][options[i]].error;
  return sum;
}

/// Goes on after the first step that does not fit: smaller ones may, while their layer has taken
/// all steps before them.
void fill_up(const std::vector<Step>& steps, std::size_t next, double room,
             std::vector<std::size_t>& options) {
  std::vector<bool> stuck(options.size(), false);
  for (; next < steps.size(); ++next) {
    const Step& step = steps[next];
    if (stuck[step.layer]) continue;
    if (step.added_error > room) {
      stuck[step.layer] = true;
      continue;
    }
    room -= step.added_error;
    options[step.layer] = step.option;
  }
}

}  // namespace

std::vector<Step> hull_steps(const Problem& problem) {
  std::vector<Step> steps;
  for (std::size_t i = 0; i < problem.layers.size(); ++i) append_hull(problem.layers[i], i, steps);
  // Stable: equal prices keep table order, and prices that underflow their layer's order.
  std::stable_sort(steps.begin(), steps.end(),
                   [](const Step& a, const Step& b) { return a.price < b.price; });
  return steps;
}

Relaxation relax(const Problem& problem) {
  const std::vector<Step> steps = hull_steps(problem);
  Relaxation result;
  result.options = most_exact(problem);
  double error = error_of(problem, result.options);
  std::size_t next = 0;
  for (; next < steps.size() && error + steps[next].added_error <= problem.max_error; ++next) {
    error += steps[next].added_error;
    result.options[steps[next].layer] = steps[next].option;
  }
  const double room = problem.max_error - error;
  result.bound = bytes_of(problem, result.options);
  result.price = std::numeric_limits<double>::infinity();
  if (next < steps.size()) {
    result.bound -= steps[next].saved_bytes * std::max(0.0, room / steps[next].added_error);
    result.price = steps[next].price;
  }
  fill_up(steps, next, room, result.options);
  return result;
}

Problem without_hopeless_options(const Problem& problem, double bytes) {
  const Relaxation relaxation = relax(problem);
  if (!(relaxation.price < std::numeric_limits<double>::infinity())) return problem;
  // Lagrange: with bytes valued at the split step's price, any plan costs at least the bound plus
  // what its options cost above the cheapest of their layers. All in units of error.
  const double room = std::max(0.0, bytes - relaxation.bound) * relaxation.price * (1.0 + 1e-9) +
                      rounding_slack(problem);
  Problem core = problem;
  for (auto& options : core.layers) {
    const double base = options.front().bytes;
    const auto cost = [&](const Option& option) {
      return (option.bytes - base) * relaxation.price + option.error;
    };
    double least = std::numeric_limits<double>::infinity();
    for (const Option& option : options) least = std::min(least, cost(option));
    std::erase_if(options, [&](const Option& option) {
      return cost(option) * (1.0 - kRounding) - least > room;
    });
  }
  return core;
}

}  // namespace convoy::compress::internal
