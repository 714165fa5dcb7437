// SPDX-License-Identifier: Apache-2.0
#include "compress/plan/normalized_errors.h"

#include <gtest/gtest.h>

#include <cmath>

#include "compress/plan/plan.h"

namespace convoy::tests {
namespace {

using compress::ErrorMetric;
using compress::LayerTable;
using compress::Level;

/// Half the relative error for each level; `scale` is that of the gradient's values.
LayerTable layer(const std::string& name, double scale) {
  const double square = 100 * scale * scale;
  return {name,
          100,
          {{Level(1), 10, 0.5 * square},
           {Level(2), 20, 0.25 * square},
           {Level(3), 30, 0.125 * square}}};
}

TEST(NormalizedErrors, DoNotDependOnTheScaleOfALayer) {
  auto large = layer("large", 1000);
  auto small = layer("small", 0.001);
  const auto squared = lgreco(
      {large, small}, compress::max_error({large, small}, {.reference = Level(2), .alpha = 1.001}),
      ErrorMetric::kSquaredL2);
  EXPECT_EQ(squared.levels, (std::vector<std::size_t>{1, 0})) << "the small layer counts nothing";
  normalize_errors(large, 100 * 1e6);
  normalize_errors(small, 100 * 1e-6);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(large.levels[i].error, small.levels[i].error, 1e-9);
    EXPECT_NEAR(large.levels[i].error, 100 * std::pow(0.5, i + 1), 1e-9);
  }
  const auto even = lgreco({large, small}, 50.0 * (1 + 1e-9), ErrorMetric::kSquaredL2);
  EXPECT_EQ(even.levels, (std::vector<std::size_t>{1, 1}));
}

TEST(NormalizedErrors, OfALayerWithoutGradientStay) {
  LayerTable table{"layer", 64, {{Level(1), 10, 0.0}}};
  normalize_errors(table, 0.0);
  EXPECT_EQ(table.levels[0].error, 0.0);
}

}  // namespace
}  // namespace convoy::tests
