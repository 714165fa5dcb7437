// SPDX-License-Identifier: Apache-2.0
#include "compress/plan/internal/dynamic_programme.h"

#include <cmath>
#include <limits>
#include <utility>

namespace convoy::compress::internal {
namespace {

/// For every number of layers and every error spent on them, in bins: the least bytes.
class Table {
 public:
  explicit Table(std::size_t bins) : bins_(bins), rows_{std::vector<double>(bins + 1, 0.0)} {}

  /// Takes one more layer in. `errors` are in bins, one for each option.
  void add_layer(const std::vector<Option>& options, const std::vector<std::size_t>& errors) {
    std::vector<double> row(bins_ + 1, std::numeric_limits<double>::infinity());
    for (std::size_t i = 0; i < options.size(); ++i) {
      if (errors[i] <= bins_) take_least(rows_.back(), options[i].bytes, errors[i], row);
    }
    rows_.push_back(std::move(row));
  }

  [[nodiscard]] bool has_plan() const { return std::isfinite(rows_.back()[bins_]); }

  /// Goes back over the layer that was added last: the option that it took when `spent` bins were
  /// spent in all; lowers `spent` by its error.
  std::size_t pop_layer(const std::vector<Option>& options, const std::vector<std::size_t>& errors,
                        std::size_t& spent) {
    const double least = rows_.back()[spent];
    rows_.pop_back();
    std::size_t option = 0;
    while (errors[option] > spent ||
           rows_.back()[spent - errors[option]] + options[option].bytes != least) {
      ++option;
    }
    spent -= errors[option];
    return option;
  }

 private:
  /// The hot loop: plain enough for the compiler to vectorise.
  static void take_least(const std::vector<double>& before, double bytes, std::size_t error,
                         std::vector<double>& row) {
    const double* __restrict from = before.data();
    double* __restrict to = row.data() + error;
    const std::size_t count = row.size() - error;
    for (std::size_t i = 0; i < count; ++i) {
      const double with = from[i] + bytes;
      to[i] = with < to[i] ? with : to[i];
    }
  }

  std::size_t bins_;
  std::vector<std::vector<double>> rows_;
};

double smallest_error(const Problem& problem) {
  double sum = 0.0;
  for (const auto& options : problem.layers) sum += options.back().error;
  return sum;
}

std::vector<std::size_t> in_bins(const std::vector<Option>& options, double bin) {
  std::vector<std::size_t> errors;
  for (const Option& option : options) {
    errors.push_back(
        static_cast<std::size_t>(std::ceil((option.error - options.back().error) / bin)));
  }
  return errors;
}

}  // namespace

std::optional<std::vector<std::size_t>> dynamic_programme(const Problem& problem,
                                                          std::size_t bins) {
  const double bin = (problem.max_error - smallest_error(problem)) / static_cast<double>(bins);
  // At zero, or so small that errors in bins overflow, only the smallest errors fit.
  if (!(bin > problem.max_error * 1e-15)) return std::nullopt;
  Table table(bins);
  std::vector<std::vector<std::size_t>> errors;
  for (const auto& options : problem.layers) {
    errors.push_back(in_bins(options, bin));
    if (options.size() > 1) table.add_layer(options, errors.back());
  }
  if (!table.has_plan()) return std::nullopt;
  std::vector<std::size_t> levels(problem.layers.size());
  std::size_t spent = bins;
  for (std::size_t i = levels.size(); i-- > 0;) {
    const auto& options = problem.layers[i];
    const std::size_t option = options.size() > 1 ? table.pop_layer(options, errors[i], spent) : 0;
    levels[i] = options[option].level;
  }
  return levels;
}

}  // namespace convoy::compress::internal
