// SPDX-License-Identifier: Apache-2.0
#include "compress/plan/useful_levels.h"

#include <gtest/gtest.h>

namespace convoy::tests {
namespace {

using compress::LayerTable;
using compress::Level;

std::vector<double> left_of(LayerTable table, double squared_norm) {
  drop_useless_levels(table, squared_norm, Level(4));
  std::vector<double> levels;
  for (const auto& cost : table.levels) levels.push_back(cost.level.value());
  return levels;
}

TEST(UsefulLevels, LoseLessThanSendingNothing) {
  const LayerTable table{
      "layer",
      64,
      {{Level(1), 10, 2.0}, {Level(2), 20, 1.0}, {Level(3), 30, 0.5}, {Level(4), 40, 0.2}}};
  EXPECT_EQ(left_of(table, 1.5), (std::vector<double>{2, 3, 4}));
  EXPECT_EQ(left_of(table, 1.0), (std::vector<double>{3, 4}));
  EXPECT_EQ(left_of(table, 0.1), (std::vector<double>{4})) << "the reference is the user's choice";
}

TEST(UsefulLevels, OfALayerWithoutGradientAreAll) {
  const LayerTable table{"layer", 64, {{Level(1), 10, 0.0}, {Level(4), 40, 0.0}}};
  EXPECT_EQ(left_of(table, 0.0), (std::vector<double>{1, 4}));
}

}  // namespace
}  // namespace convoy::tests
