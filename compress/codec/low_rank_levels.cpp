// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "base/errors.h"
#include "base/random.h"
#include "compress/codec/low_rank.h"

namespace convoy::compress {
namespace {

constexpr double kBytesPerValue = sizeof(float);
// Of a sum; fixed, so that compilers may vectorise it without changing its bits.
constexpr std::size_t kLanes = 8;

double sum_of_squares(std::span<const float> values) {
  double lanes[kLanes] = {};
  const std::size_t whole = values.size() / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const auto value = static_cast<double>(values[i + lane]);
      lanes[lane] += value * value;
    }
  }
  double sum = 0.0;
  for (const double lane : lanes) sum += lane;
  for (std::size_t i = whole; i < values.size(); ++i) {
    sum += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  }
  return sum;
}

std::int64_t rank_of(Level level, MatrixShape shape) {
  const double rank = level.value();
  require(rank >= 1.0 && rank == std::floor(rank) && rank <= 1e9,
          "a level of power_sgd must be a rank: a whole number from 1 on");
  return std::min({static_cast<std::int64_t>(rank), shape.rows, shape.columns});
}

std::int64_t largest_rank(std::span<const Level> candidates, MatrixShape shape) {
  std::int64_t largest = 0;
  for (const Level level : candidates) {
    if (!level.is_dense()) largest = std::max(largest, rank_of(level, shape));
  }
  return largest;
}

// What is left of `energy` after each number of leading columns of Q, none first.
std::vector<double> errors_by_rank(double energy, std::span<const float> q, std::int64_t columns) {
  std::vector<double> errors = {energy};
  const auto length = static_cast<std::size_t>(columns);
  for (std::size_t first = 0; first < q.size(); first += length) {
    errors.push_back(errors.back() - sum_of_squares(q.subspan(first, length)));
  }
  return errors;
}

}  // namespace

void draw_missing_columns(std::span<float> q, std::int64_t columns, std::uint64_t seed) {
  require(columns > 0 && static_cast<std::int64_t>(q.size()) % columns == 0,
          "draw_missing_columns needs whole columns of at least one value");
  const auto length = static_cast<std::size_t>(columns);
  for (std::size_t first = 0; first < q.size(); first += length) {
    const auto column = q.subspan(first, length);
    if (std::any_of(column.begin(), column.end(), [](float value) { return value != 0.0F; })) {
      continue;
    }
    Random random{seed, first / length};
    for (float& value : column) value = static_cast<float>(random.uniform() - 0.5);
  }
}

std::vector<LevelCost> low_rank_levels(std::span<const float> matrix, MatrixShape shape,
                                       std::span<const Level> candidates, std::span<float> q,
                                       std::uint64_t seed, int iterations) {
  require(iterations >= 1, "low_rank_levels needs at least one iteration");
  const std::int64_t largest = largest_rank(candidates, shape);
  require(static_cast<std::int64_t>(q.size()) >= largest * shape.columns,
          "low_rank_levels needs a Q of as many columns as the largest rank");
  const auto used = q.first(static_cast<std::size_t>(largest * shape.columns));
  if (largest > 0) draw_missing_columns(used, shape.columns, seed);
  std::vector<float> p(static_cast<std::size_t>(largest * shape.rows));
  for (int iteration = 0; iteration < iterations && largest > 0; ++iteration) {
    multiply(matrix, shape, used, p);
    orthogonalise(p, shape.rows);
    multiply_transposed(matrix, shape, p, used);
  }
  const std::vector<double> errors = errors_by_rank(sum_of_squares(matrix), used, shape.columns);
  std::vector<LevelCost> levels;
  for (const Level level : candidates) {
    if (level.is_dense()) {
      levels.push_back({level, kBytesPerValue * static_cast<double>(shape.numel()), 0.0});
      continue;
    }
    const std::int64_t rank = rank_of(level, shape);
    const double error = errors[static_cast<std::size_t>(rank)];
    // Rounding may leave less than nothing. NaN stays: nobody shall plan with it.
    levels.push_back({level,
                      kBytesPerValue * static_cast<double>(rank * (shape.rows + shape.columns)),
                      error < 0.0 ? 0.0 : error});
  }
  return levels;
}

}  // namespace convoy::compress
