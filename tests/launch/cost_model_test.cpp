// SPDX-License-Identifier: Apache-2.0
#include "launch/bench/cost_model.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/errors.h"
#include "launch/bench/least_squares.h"

namespace convoy::launch {
namespace {

TEST(LeastSquares, SolvesWhatHasASolution) {
  const auto found = nonnegative_least_squares(
      {{{1.0, 1e6}, 3.0e6 + 2.0}, {{2.0, 0.0}, 4.0}, {{1.0, -1e6}, -3.0e6 + 2.0}});
  EXPECT_NEAR(found[0], 2.0, 1e-9);
  EXPECT_NEAR(found[1], 3.0, 1e-9);
}

TEST(LeastSquares, TakesTheMiddleOfContradictions) {
  EXPECT_NEAR(nonnegative_least_squares({{{1.0}, 1.0}, {{1.0}, 2.0}, {{1.0}, 6.0}})[0], 3.0, 1e-12);
}

TEST(LeastSquares, LeavesAtZeroWhatWouldBeNegative) {
  // Without the bound: 3 and -1. With it the first unknown alone: (1, 2) against (2, 1).
  const auto found = nonnegative_least_squares({{{1.0, 1.0}, 2.0}, {{1.0, 2.0}, 1.0}});
  EXPECT_NEAR(found[0], 1.5, 1e-12);
  EXPECT_EQ(found[1], 0.0);
}

TEST(LeastSquares, LeavesAtZeroWhatEquationsCannotTellApart) {
  const auto found = nonnegative_least_squares({{{1.0, 2.0, 0.0}, 4.0}, {{2.0, 4.0, 0.0}, 8.0}});
  EXPECT_NEAR(found[0] + 2.0 * found[1], 4.0, 1e-9);
  EXPECT_EQ(found[0] * found[1], 0.0);
  EXPECT_EQ(found[2], 0.0);
}

TEST(LeastSquares, RefusesWhatIsNoSystem) {
  EXPECT_THROW((void)nonnegative_least_squares({}), ContractError);
  EXPECT_THROW((void)nonnegative_least_squares({{{1.0}, 1.0}, {{1.0, 2.0}, 1.0}}), ContractError);
  EXPECT_THROW((void)nonnegative_least_squares({{std::vector<double>(9, 1.0), 1.0}}),
               ContractError);
}

/// About what two to eight ranks of one machine over 1 Gbit/s have.
constexpr CostModel kTruth{.work = 0.345,
                           .fixed = 0.02,
                           .crowded = 0.01,
                           .round = 5e-4,
                           .message = 1e-4,
                           .byte = 8.4e-9,
                           .value = 1.6e-9,
                           .crowded_value = 5e-10,
                           .overlap = 0.66,
                           .tail = 0.1,
                           .contention = 0.015};

CostCase some_case(int ranks, bool strong, bool compressed) {
  const double others = ranks - 1;
  return {.work = strong ? 1.0 / ranks : 1.0,
          .crowding = ranks > 2 ? ranks / 2.0 : 1.0,
          .collectives = compressed ? 15.0 : 7.0,
          .messages = (compressed ? 15.0 : 7.0) * 2 * others,
          .bytes = (compressed ? 1.3e6 : 44.7e6) * 2 * others / ranks,
          .values = compressed ? 1.1e7 : 0.0};
}

/// Every growth, with and without compression; each step off by `noise`, this way and that.
std::vector<CostRun> runs_of(const std::vector<int>& counts, double noise) {
  std::vector<CostRun> runs;
  double sign = 1.0;
  for (const int ranks : counts) {
    for (const bool strong : {false, true}) {
      for (const bool compressed : {false, true}) {
        const auto what = some_case(ranks, strong, compressed);
        const auto cost = kTruth.estimate(what);
        const double codec =
            (kTruth.value + kTruth.crowded_value * (what.crowding - 1.0)) * what.values;
        runs.push_back({.what = what,
                        .alone = cost.alone * (1.0 + noise * sign),
                        .wire = (cost.communication - codec) * (1.0 - noise * sign),
                        .codec = codec,
                        .seconds = cost.seconds * (1.0 + noise * sign)});
        sign = -sign;
      }
    }
  }
  return runs;
}

TEST(CostModel, AddsUpWhatAStepCosts) {
  const CostCase what{.work = 0.5,
                      .crowding = 3.0,
                      .collectives = 4.0,
                      .messages = 10.0,
                      .bytes = 1e7,
                      .values = 1e6};
  const auto cost = kTruth.estimate(what);
  EXPECT_NEAR(cost.alone, 0.1725 + 0.02 + 0.02, 1e-12);
  const double communication = 0.002 + 0.003 + 0.084 + 0.0026;
  EXPECT_NEAR(cost.communication, communication, 1e-12);
  // Compute could hide more than all of it, but the tail stays.
  EXPECT_NEAR(cost.exposed, 0.1 * communication, 1e-12);
  EXPECT_NEAR(cost.seconds, cost.alone + cost.exposed + 0.03, 1e-12);
}

TEST(CostModel, ShowsTheCommunicationThatComputeIsTooShortFor) {
  CostCase what{.work = 0.1, .bytes = 1e7};
  EXPECT_NEAR(kTruth.estimate(what).exposed, 0.084 - 0.66 * 0.0345, 1e-12);
  what.work = 0.0;
  EXPECT_NEAR(kTruth.estimate(what).exposed, 0.084, 1e-12);
}

TEST(CostModel, FindsTheParametersThatMadeTheRuns) {
  const auto found = fit_cost_model(runs_of({2, 3, 4, 8}, 0.0));
  EXPECT_NEAR(found.work, kTruth.work, 1e-6);
  EXPECT_NEAR(found.fixed, kTruth.fixed, 1e-6);
  EXPECT_NEAR(found.crowded, kTruth.crowded, 1e-6);
  EXPECT_NEAR(found.round, kTruth.round, 1e-7);
  EXPECT_NEAR(found.message, kTruth.message, 1e-8);
  EXPECT_NEAR(found.byte, kTruth.byte, 1e-13);
  EXPECT_NEAR(found.value, kTruth.value, 1e-14);
  EXPECT_NEAR(found.crowded_value, kTruth.crowded_value, 1e-14);
  EXPECT_NEAR(found.overlap, kTruth.overlap, 1e-9);
  EXPECT_NEAR(found.tail, kTruth.tail, 1e-9);
  EXPECT_NEAR(found.contention, kTruth.contention, 1e-6);
}

TEST(CostModel, ForetellsRunsThatItHasNotSeen) {
  const auto model = fit_cost_model(runs_of({2, 8}, 0.03));
  for (const CostRun& run : runs_of({4, 16}, 0.0)) {
    EXPECT_NEAR(model.estimate(run.what).seconds / run.seconds, 1.0, 0.1);
  }
}

TEST(CostModel, RefusesRunsThatTakeNoTime) {
  EXPECT_THROW((void)fit_cost_model({}), ContractError);
  const std::vector<CostRun> none(1);
  EXPECT_THROW((void)fit_cost_model(none), ContractError);
}

}  // namespace
}  // namespace convoy::launch
