// SPDX-License-Identifier: Apache-2.0
#include "compress/plan/internal/dynamic_programme.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace convoy::compress::internal {
namespace {

/// The state after some layers: for every error spent, in bins, the least bytes.
class Table {
 public:
  explicit Table(std::size_t bins) : bins_(bins), least_(bins + 1, 0.0), before_(bins + 1) {}

  /// Takes one more layer in. `errors` are in bins, one for each option.
  void add_layer(const std::vector<Option>& options, const std::vector<std::size_t>& errors) {
    before_.swap(least_);
    std::fill(least_.begin(), least_.end(), std::numeric_limits<double>::infinity());
    std::vector<std::uint16_t>& choices = choices_.emplace_back(bins_ + 1, 0);
    for (std::size_t i = 0; i < options.size(); ++i) {
      if (errors[i] > bins_) continue;
      try_option(options[i].bytes, errors[i], static_cast<std::uint16_t>(i), choices);
    }
  }

  [[nodiscard]] bool has_plan() const { return std::isfinite(least_[bins_]); }
  [[nodiscard]] std::size_t choice(std::size_t layer, std::size_t error) const {
    return choices_[layer][error];
  }

 private:
  void try_option(double bytes, std::size_t error, std::uint16_t option,
                  std::vector<std::uint16_t>& choices) {
    for (std::size_t spent = error; spent <= bins_; ++spent) {
      const double with = before_[spent - error] + bytes;
      const bool better = with < least_[spent];
      least_[spent] = better ? with : least_[spent];
      choices[spent] = better ? option : choices[spent];
    }
  }

  std::size_t bins_;
  std::vector<double> least_;
  std::vector<double> before_;
  std::vector<std::vector<std::uint16_t>> choices_;
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
  std::size_t row = static_cast<std::size_t>(
      std::count_if(problem.layers.begin(), problem.layers.end(),
                    [](const auto& options) { return options.size() > 1; }));
  for (std::size_t i = levels.size(); i-- > 0;) {
    const auto& options = problem.layers[i];
    const std::size_t option = options.size() > 1 ? table.choice(--row, spent) : 0;
    levels[i] = options[option].level;
    spent -= errors[i][option];
  }
  return levels;
}

}  // namespace convoy::compress::internal
