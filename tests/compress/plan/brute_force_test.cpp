// SPDX-License-Identifier: Apache-2.0
// The planner against every plan there is, on thousands of small random tables.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/compress/plan/tables.h"

namespace convoy::tests {
namespace {

using compress::Choice;
using compress::ErrorMetric;
using compress::Level;
using compress::Table;

/// The smallest and the largest error of any plan, between which budgets are drawn.
std::pair<double, double> range_of_errors(const Table& table, ErrorMetric metric) {
  Table least = table;
  Table most = table;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto less = [](const auto& a, const auto& b) { return a.error < b.error; };
    const auto [low, high] =
        std::minmax_element(table[i].levels.begin(), table[i].levels.end(), less);
    least[i].levels = {*low};
    most[i].levels = {*high};
  }
  Choice first;
  first.levels.assign(table.size(), 0);
  return {error_of(least, first, metric), error_of(most, first, metric)};
}

void expect_optimal(const Table& table, double budget, ErrorMetric metric) {
  const auto least = brute_force(table, budget, metric);
  ASSERT_TRUE(least.has_value());
  const Choice choice = compress::lgreco(table, budget, metric);
  expect_consistent(table, choice, metric);
  EXPECT_NEAR(choice.bytes, *least, 1e-9 * *least);
  EXPECT_TRUE(choice.is_optimal());
  EXPECT_LE(choice.lower_bound_bytes, *least * (1.0 + 1e-9));
  EXPECT_LE(choice.proven_bytes, *least * (1.0 + 1e-9));
}

class EveryKind : public testing::TestWithParam<Kind> {};

TEST_P(EveryKind, IsAsGoodAsTryingAllPlans) {
  for (std::uint64_t seed = 0; seed < 600 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Random random{seed, static_cast<std::uint64_t>(GetParam())};
    const int layers = 1 + static_cast<int>(random.below(5));
    const int levels = 1 + static_cast<int>(random.below(4));
    const Table table = random_table(GetParam(), layers, levels, random);
    const auto metric = random.below(2) == 0 ? ErrorMetric::kSquaredL2 : ErrorMetric::kL2;
    const auto [low, high] = range_of_errors(table, metric);
    const double tight = low + (high - low) * random.uniform() * random.uniform();
    for (const double budget : {low, std::max(low, tight), high}) {
      expect_optimal(table, budget, metric);
    }
  }
}

TEST_P(EveryKind, KeepsToBudgetsThatUniformPlansSpendToTheLastBit) {
  for (std::uint64_t seed = 0; seed < 200 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Random random{seed, 77, static_cast<std::uint64_t>(GetParam())};
    const Table table = random_table(GetParam(), 5, 4, random);
    for (const auto metric : {ErrorMetric::kSquaredL2, ErrorMetric::kL2}) {
      const Level level(1 + static_cast<double>(random.below(4)));
      const double budget = compress::max_error(table, {.reference = level, .metric = metric});
      expect_optimal(table, budget, metric);
      const Choice uniform = compress::uniform(table, level, metric);
      EXPECT_LE(compress::lgreco(table, budget, metric).bytes, uniform.bytes);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tables, EveryKind, testing::ValuesIn(kAllKinds));

/// 0.1 + 0.2 + 0.3 is more than 0.6 and 0.3 + 0.2 + 0.1 is not: permutations of one set of errors
/// differ in whether they fit. Layers of such errors are where sums in another order go wrong.
TEST(Rounding, PlansThatFitOnlyInTableOrderAreFoundExactly) {
  for (std::uint64_t seed = 0; seed < 2000 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Random random{seed, 5};
    Table table = random_table(Kind::kIntegers, 5, 4, random);
    for (auto& layer : table) {
      for (auto& cost : layer.levels) cost.error = 0.1 * static_cast<double>(random.below(4));
    }
    const double budget = 0.1 * static_cast<double>(3 + random.below(8));
    if (!brute_force(table, budget, ErrorMetric::kSquaredL2)) continue;
    expect_optimal(table, budget, ErrorMetric::kSquaredL2);
  }
}

}  // namespace
}  // namespace convoy::tests
