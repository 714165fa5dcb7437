// SPDX-License-Identifier: Apache-2.0
#include "tests/compress/plan/tables.h"

#include <gtest/gtest.h>

#include <cmath>

namespace convoy::tests {
namespace {

using compress::Choice;
using compress::ErrorMetric;
using compress::Level;
using compress::LevelCost;
using compress::Table;

double in_metric(ErrorMetric metric, double error) {
  return metric == ErrorMetric::kL2 ? std::sqrt(error) : error;
}

struct Layer {
  double size;
  double scale;
  double decay;
};

LevelCost random_cost(Kind kind, const Layer& layer, int level, Random& random) {
  const Level name(level + 1);
  const double step = level + 1;
  switch (kind) {
    case Kind::kIntegers:
      return {name, static_cast<double>(random.below(12)), static_cast<double>(random.below(12))};
    case Kind::kAnything:
      return {name, 1e6 * random.uniform(), random.uniform()};
    case Kind::kQuantize:
      return {name, std::ceil(layer.size * step / 8),
              layer.size * layer.scale * std::pow(4, -step) * (0.95 + 0.1 * random.uniform())};
    case Kind::kPowerLaw:
      return {name, 8 * step * std::floor(std::sqrt(layer.size)),
              layer.size * layer.scale * std::pow(step, -layer.decay)};
    case Kind::kCorrelated: {
      const double bytes = 10 + 1000 * random.uniform();
      return {name, bytes, 1100 - bytes + 3 * random.uniform()};
    }
    case Kind::kAlike:
      return {name, 12500 * step, std::pow(4, -step) * (0.99 + 0.02 * random.uniform())};
    case Kind::kMagnitudes:
      return {name, std::pow(10, 9 * random.uniform()), std::pow(10, 40 * random.uniform() - 20)};
  }
  return {};
}

}  // namespace

Table random_table(Kind kind, int layers, int levels, Random& random) {
  Table table;
  for (int i = 0; i < layers; ++i) {
    compress::LayerTable layer{.name = "layer" + std::to_string(i), .numel = 1, .levels = {}};
    const Layer shape{std::floor(std::exp(6 + 9 * random.uniform())), std::exp(random.normal()),
                      0.3 + 1.2 * random.uniform()};
    for (int j = 0; j < levels; ++j) layer.levels.push_back(random_cost(kind, shape, j, random));
    table.push_back(layer);
  }
  return table;
}

std::optional<double> brute_force(const Table& table, double max_error, ErrorMetric metric) {
  std::optional<double> least;
  std::vector<std::size_t> levels(table.size(), 0);
  for (;;) {
    double bytes = 0.0;
    double error = 0.0;
    for (std::size_t i = 0; i < table.size(); ++i) {
      bytes += table[i].levels[levels[i]].bytes;
      error += in_metric(metric, table[i].levels[levels[i]].error);
    }
    if (error <= max_error && (!least || bytes < *least)) least = bytes;
    std::size_t i = 0;
    while (i < table.size() && ++levels[i] == table[i].levels.size()) levels[i++] = 0;
    if (i == table.size()) return least;
  }
}

double bytes_of(const Table& table, const Choice& choice) {
  double sum = 0.0;
  for (std::size_t i = 0; i < table.size(); ++i) {
    sum += table[i].levels.at(choice.levels.at(i)).bytes;
  }
  return sum;
}

double error_of(const Table& table, const Choice& choice, ErrorMetric metric) {
  double sum = 0.0;
  for (std::size_t i = 0; i < table.size(); ++i) {
    sum += in_metric(metric, table[i].levels.at(choice.levels.at(i)).error);
  }
  return sum;
}

void expect_consistent(const Table& table, const Choice& choice, ErrorMetric metric) {
  ASSERT_EQ(choice.levels.size(), table.size());
  EXPECT_EQ(choice.bytes, bytes_of(table, choice));
  EXPECT_EQ(choice.error, error_of(table, choice, metric));
  EXPECT_LE(choice.error, choice.max_error);
  EXPECT_LE(choice.lower_bound_bytes, choice.bytes);
  EXPECT_LE(choice.lower_bound_bytes, choice.proven_bytes * (1.0 + 1e-9));
  EXPECT_LE(choice.proven_bytes, choice.bytes);
}

}  // namespace convoy::tests
