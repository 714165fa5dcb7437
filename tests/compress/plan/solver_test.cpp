// SPDX-License-Identifier: Apache-2.0
// The parts of the planner, each against a simpler truth.
#include <gtest/gtest.h>

#include <algorithm>

#include "compress/plan/internal/branch_and_bound.h"
#include "compress/plan/internal/dynamic_programme.h"
#include "compress/plan/internal/hull.h"
#include "compress/plan/internal/incumbent.h"
#include "compress/plan/internal/problem.h"
#include "tests/compress/plan/tables.h"

namespace convoy::tests {
namespace {

using compress::Choice;
using compress::ErrorMetric;
using compress::Level;
using compress::Table;
using namespace compress::internal;

constexpr auto kSquared = ErrorMetric::kSquaredL2;

struct Instance {
  Table table;
  double budget;
  double optimum;
};

/// A small table with a budget between the smallest error and that of the cheapest levels.
Instance random_instance(Random& random) {
  const Kind kind = kAllKinds[random.below(std::size(kAllKinds))];
  Instance instance{random_table(kind, 4, 4, random), 0.0, 0.0};
  double low = 0.0;
  double high = 0.0;
  for (const auto& layer : instance.table) {
    const auto [least, most] =
        std::minmax_element(layer.levels.begin(), layer.levels.end(),
                            [](const auto& a, const auto& b) { return a.error < b.error; });
    low += least->error;
    high += most->error;
  }
  instance.budget = low + (high - low) * random.uniform();
  instance.optimum = brute_force(instance.table, instance.budget, kSquared).value();
  return instance;
}

/// The most exact plan, as a start.
Incumbent some_plan(const Instance& instance, const Problem& problem) {
  Incumbent incumbent(instance.table, instance.budget, kSquared);
  std::vector<std::size_t> levels;
  for (const auto& options : problem.layers) levels.push_back(options.back().level);
  EXPECT_TRUE(incumbent.offer(levels));
  return incumbent;
}

TEST(Undominated, KeepsWhatNothingUndercuts) {
  const auto kept =
      undominated({{10, 5, 0}, {10, 4, 1}, {10, 4, 2}, {12, 4, 3}, {20, 1, 4}, {5, 9, 5}});
  std::vector<std::size_t> levels;
  for (const Option& option : kept) levels.push_back(option.level);
  EXPECT_EQ(levels, (std::vector<std::size_t>{5, 1, 4}));
}

TEST(Granularity, IsTheCommonStepOfIntegralBytes) {
  EXPECT_EQ(granularity({.layers = {{{8, 1, 0}, {20, 0, 1}}, {{5, 1, 0}, {23, 0, 1}}}}), 6.0);
  EXPECT_EQ(granularity({.layers = {{{8, 1, 0}, {20.5, 0, 1}}}}), 0.0);
  EXPECT_EQ(granularity({.layers = {{{8, 1, 0}}}}), 0.0);
}

TEST(Relax, BoundsEveryPlanAndFindsOne) {
  for (std::uint64_t seed = 0; seed < 500 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Random random{seed, 1};
    const Instance instance = random_instance(random);
    const Problem problem = make_problem(instance.table, instance.budget, kSquared);
    const Relaxation relaxation = relax(problem);
    EXPECT_LE(relaxation.bound, instance.optimum * (1 + 1e-12));
    double error = 0.0;
    for (std::size_t i = 0; i < problem.layers.size(); ++i) {
      error += problem.layers[i].at(relaxation.options.at(i)).error;
    }
    EXPECT_LE(error, instance.budget + rounding_slack(problem));
  }
}

TEST(Relax, PricesRiseAlongTheHullOfALayer) {
  Random random(3);
  const Table table = random_table(Kind::kAnything, 6, 30, random);
  const auto steps = hull_steps(make_problem(table, 1e9, kSquared));
  EXPECT_TRUE(std::is_sorted(steps.begin(), steps.end(),
                             [](const Step& a, const Step& b) { return a.price < b.price; }));
  std::vector<std::size_t> last(table.size(), 1000);
  for (const Step& step : steps) {
    EXPECT_LT(step.option, last[step.layer]);
    last[step.layer] = step.option;
  }
}

TEST(HopelessOptions, AreInNoBetterPlan) {
  for (std::uint64_t seed = 0; seed < 500 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Random random{seed, 2};
    const Instance instance = random_instance(random);
    const Problem problem = make_problem(instance.table, instance.budget, kSquared);
    const Problem core = without_hopeless_options(problem, instance.optimum);
    Table left;
    for (const auto& options : core.layers) {
      ASSERT_FALSE(options.empty());
      auto& layer = left.emplace_back();
      for (const Option& option : options) {
        layer.levels.push_back({Level(1), option.bytes, option.error});
      }
    }
    EXPECT_EQ(brute_force(left, instance.budget, kSquared), instance.optimum);
  }
}

TEST(DynamicProgramme, IsWithinTheBudgetAndNeverBelowTheOptimum) {
  int exact = 0;
  for (std::uint64_t seed = 0; seed < 200 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Random random{seed, 3};
    const Instance instance = random_instance(random);
    const Problem problem = make_problem(instance.table, instance.budget, kSquared);
    const auto levels = dynamic_programme(problem);
    if (!levels) continue;
    const Totals sum = totals(instance.table, kSquared, *levels);
    EXPECT_LE(sum.error, instance.budget + rounding_slack(problem));
    EXPECT_GE(sum.bytes, instance.optimum * (1 - 1e-12));
    exact += sum.bytes <= instance.optimum * (1 + 1e-12);
  }
  EXPECT_GT(exact, 150);
}

TEST(DynamicProgramme, RoundsErrorsUp) {
  // Within 3 bins errors of 1.1 and 1.1 take 2 + 2 bins, although 2.2 <= 3 would fit.
  const Problem problem{.layers = {{{1, 1.1, 0}, {5, 0, 1}}, {{1, 1.1, 0}, {6, 0, 1}}},
                        .max_error = 3.0};
  EXPECT_EQ(dynamic_programme(problem, 3), (std::vector<std::size_t>{1, 0}));
  EXPECT_EQ(dynamic_programme(problem, 300), (std::vector<std::size_t>{0, 0}));
  const Problem exact{.layers = {{{1, 3.0, 0}, {5, 0, 1}}}, .max_error = 3.0};
  EXPECT_EQ(dynamic_programme(exact, 3), std::vector<std::size_t>{0});
}

class BranchAndBound : public testing::TestWithParam<Order> {};

TEST_P(BranchAndBound, ProvesTheOptimumFromAnyStart) {
  for (std::uint64_t seed = 0; seed < 500 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Random random{seed, 4};
    const Instance instance = random_instance(random);
    const Problem problem = make_problem(instance.table, instance.budget, kSquared);
    Incumbent incumbent = some_plan(instance, problem);
    const auto result = branch_and_bound(problem, GetParam(), 1000000, incumbent);
    if (result.rejected) continue;
    EXPECT_NEAR(incumbent.bytes(), instance.optimum, 1e-9 * instance.optimum);
    EXPECT_GE(result.proven_bytes, incumbent.bytes());
  }
}

TEST_P(BranchAndBound, WithLittleWorkItStillBoundsTheOptimum) {
  int unproven = 0;
  for (std::uint64_t seed = 0; seed < 500 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Random random{seed, 5};
    const Instance instance = random_instance(random);
    const Problem problem = make_problem(instance.table, instance.budget, kSquared);
    Incumbent incumbent = some_plan(instance, problem);
    const auto result = branch_and_bound(problem, GetParam(), 1, incumbent);
    if (result.rejected) continue;
    EXPECT_LE(result.proven_bytes, instance.optimum * (1 + 1e-9));
    EXPECT_GE(incumbent.bytes(), instance.optimum * (1 - 1e-9));
    unproven += result.proven_bytes < incumbent.bytes();
  }
  EXPECT_GT(unproven, 20);
}

INSTANTIATE_TEST_SUITE_P(Orders, BranchAndBound,
                         testing::Values(Order::kLargestFirst, Order::kTable));

}  // namespace
}  // namespace convoy::tests
