// SPDX-License-Identifier: Apache-2.0
#include "launch/bench/least_squares.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <utility>

#include "base/errors.h"

namespace convoy::launch {
namespace {

constexpr std::size_t kMostUnknowns = 8;
// Columns that differ by less are one; they have length 1.
constexpr double kSmallestPivot = 1e-10;

using Matrix = std::vector<std::vector<double>>;

/// Gaussian elimination with pivots; nothing where the matrix is singular.
std::optional<std::vector<double>> solve(Matrix a, std::vector<double> b) {
  const std::size_t size = b.size();
  for (std::size_t column = 0; column < size; ++column) {
    std::size_t pivot = column;
    for (std::size_t row = column + 1; row < size; ++row) {
      if (std::abs(a[row][column]) > std::abs(a[pivot][column])) pivot = row;
    }
    if (std::abs(a[pivot][column]) < kSmallestPivot) return std::nullopt;
    std::swap(a[pivot], a[column]);
    std::swap(b[pivot], b[column]);
    for (std::size_t row = 0; row < size; ++row) {
      if (row == column) continue;
      const double factor = a[row][column] / a[column][column];
      for (std::size_t k = column; k < size; ++k) a[row][k] -= factor * a[column][k];
      b[row] -= factor * b[column];
    }
  }
  for (std::size_t row = 0; row < size; ++row) b[row] /= a[row][row];
  return b;
}

/// The system with every column at length 1.
struct Scaled {
  std::vector<Equation> equations;
  std::vector<double> lengths;

  explicit Scaled(const std::vector<Equation>& raw)
      : equations(raw), lengths(raw.front().coefficients.size(), 0.0) {
    for (std::size_t column = 0; column < lengths.size(); ++column) {
      for (const auto& equation : raw) {
        lengths[column] = std::hypot(lengths[column], equation.coefficients[column]);
      }
      if (lengths[column] == 0.0) continue;
      for (auto& equation : equations) equation.coefficients[column] /= lengths[column];
    }
  }

  [[nodiscard]] double squared_error(const std::vector<double>& unknowns) const {
    double sum = 0.0;
    for (const auto& equation : equations) {
      double left = equation.value;
      for (std::size_t i = 0; i < unknowns.size(); ++i) {
        left -= equation.coefficients[i] * unknowns[i];
      }
      sum += left * left;
    }
    return sum;
  }

  /// The best unknowns where only those at `places` may differ from 0.
  [[nodiscard]] std::optional<std::vector<double>> best(
      const std::vector<std::size_t>& places) const {
    Matrix a(places.size(), std::vector<double>(places.size(), 0.0));
    std::vector<double> b(places.size(), 0.0);
    for (const auto& [coefficients, value] : equations) {
      for (std::size_t i = 0; i < places.size(); ++i) {
        b[i] += coefficients[places[i]] * value;
        for (std::size_t j = 0; j < places.size(); ++j) {
          a[i][j] += coefficients[places[i]] * coefficients[places[j]];
        }
      }
    }
    const auto some = solve(std::move(a), std::move(b));
    if (!some || std::ranges::any_of(*some, [](double x) { return x < 0.0; })) return std::nullopt;
    std::vector<double> all(lengths.size(), 0.0);
    for (std::size_t i = 0; i < places.size(); ++i) all[places[i]] = (*some)[i];
    return all;
  }
};

}  // namespace

std::vector<double> nonnegative_least_squares(const std::vector<Equation>& equations) {
  require(!equations.empty(), "least squares of no equations");
  const std::size_t size = equations.front().coefficients.size();
  require(size <= kMostUnknowns, "least squares of too many unknowns");
  for (const auto& equation : equations) {
    require(equation.coefficients.size() == size, "equations of different lengths");
  }
  const Scaled system(equations);
  std::vector<double> best(size, 0.0);
  double least = system.squared_error(best);
  for (unsigned subset = 1; subset < 1U << size; ++subset) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < size; ++i) {
      if ((subset >> i & 1U) != 0) places.push_back(i);
    }
    const auto found = system.best(places);
    if (!found || system.squared_error(*found) >= least) continue;
    least = system.squared_error(*found);
    best = *found;
  }
  for (std::size_t i = 0; i < size; ++i) {
    if (system.lengths[i] > 0.0) best[i] /= system.lengths[i];
  }
  return best;
}

}  // namespace convoy::launch
