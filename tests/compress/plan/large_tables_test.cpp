// SPDX-License-Identifier: Apache-2.0
// Tables of the size of real networks, where nobody can try all plans.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/compress/plan/tables.h"

namespace convoy::tests {
namespace {

using compress::Choice;
using compress::ErrorMetric;
using compress::Level;
using compress::Table;

struct Size {
  int layers;
  int levels;
};

void PrintTo(const Size& size, std::ostream* out) { *out << size.layers << "x" << size.levels; }

class Large : public testing::TestWithParam<std::tuple<Kind, Size>> {
 protected:
  [[nodiscard]] Table table(std::uint64_t seed) const {
    const auto [kind, size] = GetParam();
    Random random{seed, 11};
    return random_table(kind, size.layers, size.levels, random);
  }
};

/// What no plan undercuts. Square roots of errors that fall linearly are concave, and the hull has
/// two points left: such tables are proven with a hundred times the usual work.
double proven_bytes(const Table& layers, double budget, ErrorMetric metric, const Choice& choice) {
  if (choice.gap() <= 0.001) return choice.proven_bytes;
  constexpr auto kWork = 100 * compress::Effort{}.partial_plans;
  return lgreco(layers, budget, metric, {.partial_plans = kWork}).proven_bytes;
}

TEST_P(Large, IsWithinAThousandthOfTheOptimum) {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    SCOPED_TRACE(seed);
    const Table layers = table(seed);
    for (const auto metric : {ErrorMetric::kSquaredL2, ErrorMetric::kL2}) {
      const Level reference(4);
      for (const double alpha : {1.0, 1.7}) {
        const double budget = max_error(layers, {reference, alpha, metric});
        const Choice choice = lgreco(layers, budget, metric);
        expect_consistent(layers, choice, metric);
        EXPECT_LE(choice.bytes, 1.001 * proven_bytes(layers, budget, metric, choice));
        EXPECT_LE(choice.bytes, uniform(layers, reference, metric).bytes);
      }
    }
  }
}

TEST_P(Large, RepeatsAndDoesNotDependOnTheOrderOfLayers) {
  const Table layers = table(7);
  const auto metric = ErrorMetric::kSquaredL2;
  const double budget = max_error(layers, {.reference = Level(3)});
  const Choice first = lgreco(layers, budget, metric);
  EXPECT_EQ(lgreco(layers, budget, metric).levels, first.levels);
  Table turned = layers;
  std::reverse(turned.begin(), turned.end());
  const double same = std::max(budget, max_error(turned, {.reference = Level(3)}));
  const Choice other = lgreco(turned, same, metric);
  if (first.is_optimal() && other.is_optimal()) {
    EXPECT_NEAR(other.bytes, first.bytes, 1e-9 * first.bytes);
  }
}

INSTANTIATE_TEST_SUITE_P(Tables, Large,
                         testing::Combine(testing::ValuesIn(kAllKinds),
                                          testing::Values(Size{54, 32}, Size{1000, 16})));

TEST(Effort, MoreOfItNeverProvesLess) {
  Random random(21);
  const Table table = random_table(Kind::kCorrelated, 40, 32, random);
  const double budget = max_error(table, {.reference = Level(4)});
  const Choice little = lgreco(table, budget, ErrorMetric::kSquaredL2, {.partial_plans = 2});
  const Choice usual = lgreco(table, budget, ErrorMetric::kSquaredL2);
  EXPECT_GT(little.gap(), 0.0);
  EXPECT_LE(usual.gap(), little.gap());
  EXPECT_LE(usual.bytes, little.bytes);
  EXPECT_LE(optimum(table, budget, ErrorMetric::kSquaredL2).gap(), usual.gap());
}

}  // namespace
}  // namespace convoy::tests
