// SPDX-License-Identifier: Apache-2.0
#include "compress/plan/plan.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/errors.h"
#include "tests/compress/plan/tables.h"

namespace convoy::tests {
namespace {

using compress::Budget;
using compress::Choice;
using compress::ErrorMetric;
using compress::LayerTable;
using compress::Level;
using compress::Table;

constexpr auto kSquared = ErrorMetric::kSquaredL2;

/// By hand: within an error of 7 the best is a = 2, b = 2 at 50 bytes.
Table two_layers() {
  return {{"a", 100, {{Level(1), 10, 9}, {Level(2), 20, 4}, {Level(3), 40, 1}}},
          {"b", 100, {{Level(1), 10, 5}, {Level(2), 30, 3}, {Level(3), 90, 1}}}};
}

std::string message_of(const auto& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing thrown";
}

TEST(MaxError, IsAlphaTimesTheErrorOfTheReference) {
  EXPECT_EQ(max_error(two_layers(), {.reference = Level(2)}), 7.0);
  EXPECT_EQ(max_error(two_layers(), {.reference = Level(2), .alpha = 1.5}), 10.5);
  EXPECT_EQ(max_error(two_layers(), {.reference = Level(1), .metric = ErrorMetric::kL2}),
            std::sqrt(9.0) + std::sqrt(5.0));
}

TEST(MaxError, CountsTheSmallestErrorWhereTheReferenceIsMissing) {
  Table table = two_layers();
  table[1].levels.erase(table[1].levels.begin() + 1);
  EXPECT_EQ(max_error(table, {.reference = Level(2)}), 4.0 + 1.0);
}

TEST(MaxError, RefusesAnImpossibleAlpha) {
  EXPECT_THROW((void)max_error(two_layers(), {.reference = Level(2), .alpha = -1.0}),
               ContractError);
  EXPECT_THROW((void)max_error(two_layers(), {.reference = Level(2), .alpha = std::nan("")}),
               ContractError);
}

TEST(Uniform, TakesOneLevelEverywhere) {
  const Choice choice = uniform(two_layers(), Level(2), kSquared);
  EXPECT_EQ(choice.levels, (std::vector<std::size_t>{1, 1}));
  EXPECT_EQ(choice.bytes, 50.0);
  EXPECT_EQ(choice.error, 7.0);
}

TEST(Uniform, TakesTheFirstOfTheMostExactWhereTheLevelIsMissing) {
  Table table = two_layers();
  table[0].levels = {{Level(1), 10, 9}, {Level(5), 20, 1}, {Level(6), 15, 1}};
  EXPECT_EQ(uniform(table, Level(2), kSquared).levels, (std::vector<std::size_t>{1, 1}));
}

TEST(Lgreco, SolvesTwoLayersAsByHand) {
  const Choice choice = lgreco(two_layers(), 7.0, kSquared);
  EXPECT_EQ(choice.levels, (std::vector<std::size_t>{1, 1}));
  EXPECT_EQ(choice.bytes, 50.0);
  EXPECT_EQ(choice.error, 7.0);
  EXPECT_EQ(choice.max_error, 7.0);
  EXPECT_NEAR(choice.lower_bound_bytes, 130.0 / 3.0, 1e-9);
  EXPECT_EQ(choice.proven_bytes, 50.0);
  EXPECT_TRUE(choice.is_optimal());
  EXPECT_EQ(choice.gap(), 0.0);
}

TEST(Lgreco, TheMetricChangesWhatFits) {
  // Norms 3 + sqrt(5) = 5.24: with 5.3 both layers may take their cheapest level.
  EXPECT_EQ(lgreco(two_layers(), 5.3, ErrorMetric::kL2).bytes, 20.0);
  EXPECT_EQ(lgreco(two_layers(), 5.3, kSquared).bytes, 40.0 + 30.0);
}

TEST(Lgreco, LayersWithoutErrorTakeTheirCheapestLevel) {
  Table table = two_layers();
  table.push_back({"zero", 10, {{Level(1), 30, 0}, {Level(2), 8, 0}, {Level(3), 8, 0}}});
  const Choice choice = lgreco(table, 7.0, kSquared);
  EXPECT_EQ(choice.levels, (std::vector<std::size_t>{1, 1, 1}));
  const Table zeros{{"x", 1, {{Level(1), 4, 0}, {Level(2), 2, 0}}}, {"y", 1, {{Level(1), 3, 0}}}};
  EXPECT_EQ(lgreco(zeros, 0.0, kSquared).levels, (std::vector<std::size_t>{1, 0}));
}

TEST(Lgreco, EqualLevelsTakeTheLowerIndex) {
  const Table table{{"a", 1, {{Level(3), 9, 1}, {Level(1), 5, 2}, {Level(2), 5, 2}}}};
  EXPECT_EQ(lgreco(table, 2.0, kSquared).levels, std::vector<std::size_t>{1});
}

TEST(Lgreco, DominatedLevelsAreLeftOutOfUniformPlansToo) {
  // All at level 1 is within the budget, but level 2 has less error for the same bytes.
  const Table table{{"a", 1, {{Level(1), 5, 3}, {Level(2), 5, 1}}}};
  EXPECT_EQ(lgreco(table, 3.0, kSquared).levels, std::vector<std::size_t>{1});
}

TEST(Lgreco, NoLayersNeedNoBytes) {
  const Choice choice = lgreco({}, 0.0, kSquared);
  EXPECT_TRUE(choice.levels.empty());
  EXPECT_EQ(choice.bytes, 0.0);
  EXPECT_TRUE(choice.is_optimal());
}

TEST(Lgreco, SaysByHowMuchABudgetIsTooSmall) {
  const auto plan = [] { (void)lgreco(two_layers(), 1.5, kSquared); };
  EXPECT_THROW(plan(), ConfigError);
  EXPECT_EQ(message_of(plan),
            "no plan is within the budget: the smallest possible error is 2, and max_error 1.5 is "
            "0.5 too small; raise alpha or max_error, or add finer levels");
}

TEST(Lgreco, NamesTheLayerOfABadEntry) {
  const auto with = [](double bytes, double error) {
    Table table = two_layers();
    table[1].levels[2].bytes = bytes;
    table[1].levels[2].error = error;
    return message_of([&] { (void)lgreco(table, 7.0, kSquared); });
  };
  const std::string where = "layer \"b\", level 3: ";
  EXPECT_NE(with(90, std::nan("")).find(where + "error must be finite and not negative, not nan"),
            std::string::npos);
  EXPECT_NE(with(90, -1).find(where + "error must be"), std::string::npos);
  EXPECT_NE(with(-90, 1).find(where + "bytes must be finite and not negative, not -90"),
            std::string::npos);
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_NE(with(infinity, 1).find(where + "bytes must be finite"), std::string::npos);
  const Table empty{{"hollow", 1, {}}};
  EXPECT_NE(message_of([&] { (void)lgreco(empty, 1.0, kSquared); }).find("\"hollow\" has no level"),
            std::string::npos);
  EXPECT_THROW((void)lgreco(empty, 1.0, kSquared), ContractError);
  EXPECT_THROW((void)uniform(empty, Level(1), kSquared), ContractError);
  EXPECT_THROW((void)lgreco(two_layers(), std::nan(""), kSquared), ContractError);
  EXPECT_THROW((void)lgreco(two_layers(), -1.0, kSquared), ContractError);
}

TEST(Hash, TellsNamesAndLevelsApart) {
  const Table table = two_layers();
  const Choice choice = uniform(table, Level(2), kSquared);
  const auto base = hash(table, choice);
  EXPECT_EQ(base, hash(table, lgreco(table, 7.0, kSquared)));
  EXPECT_NE(base, hash(table, uniform(table, Level(3), kSquared)));
  Table renamed = table;
  renamed[0].name = "c";
  EXPECT_NE(base, hash(renamed, choice));
  Table dense = table;
  dense[1].levels[1].level = Level::dense();
  EXPECT_NE(base, hash(dense, choice));
  EXPECT_THROW((void)hash({}, choice), ContractError);
}

TEST(Hash, IsTheSameOnEveryMachine) {
  const Table table = two_layers();
  EXPECT_EQ(hash(table, uniform(table, Level(2), kSquared)), 13254425397273840732U);
}

}  // namespace
}  // namespace convoy::tests
