// SPDX-License-Identifier: Apache-2.0
#include "scheduler/speed_estimator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/errors.h"
#include "base/random.h"
#include "scheduler/simulator.h"

namespace convoy::tests {
namespace {

using namespace scheduler;

/// Mean of |predicted - actual| / actual over the rounds after the tenth.
double prediction_error(SpeedModel model, std::uint64_t seed,
                        const std::function<double(int round, double steps)>& seconds) {
  Random random({seed});
  SpeedEstimator estimator(model, 0.9);
  double sum = 0.0;
  constexpr int kRounds = 300;
  constexpr int kWarmUp = 10;
  for (int round = 0; round < kRounds; ++round) {
    const double steps = 40.0 + static_cast<double>(random.below(161));
    const double actual = seconds(round, steps) * (1.0 + 0.05 * random.normal());
    if (round >= kWarmUp) sum += std::abs(estimator.estimate().of(steps) - actual) / actual;
    estimator.add({steps, actual});
  }
  return sum / (kRounds - kWarmUp);
}

/// 20 % of a round of 200 steps are fixed cost.
double with_fixed_cost(double steps) { return 7.5 + 0.15 * steps; }

TEST(SpeedEstimator, RatioIsAnExponentialAverage) {
  SpeedEstimator estimator(SpeedModel::kRatio, 0.75);
  EXPECT_TRUE(estimator.empty());
  EXPECT_THROW((void)estimator.estimate(), ContractError);
  estimator.add({100, 50});
  EXPECT_EQ(estimator.estimate().per_step, 0.5);
  estimator.add({100, 100});
  EXPECT_EQ(estimator.estimate().per_step, 0.25 * 0.5 + 0.75 * 1.0);
  EXPECT_EQ(estimator.estimate().fixed, 0.0);
}

TEST(SpeedEstimator, InstantRoundsLeaveASpeedToDivideBy) {
  for (const auto model : {SpeedModel::kRatio, SpeedModel::kAffine}) {
    SpeedEstimator estimator(model, 0.9);
    for (int i = 1; i < 20; ++i) {
      estimator.add({10.0 * i, 0.0});
      EXPECT_EQ(estimator.estimate().per_step, SpeedEstimator::kFastest);
      EXPECT_EQ(estimator.estimate().fixed, 0.0);
    }
  }
}

TEST(SpeedEstimator, AffineIsRatioWhileStepsHaveNotVaried) {
  SpeedEstimator ratio(SpeedModel::kRatio, 0.9);
  SpeedEstimator affine(SpeedModel::kAffine, 0.9);
  Random random({3});
  for (int i = 0; i < 40; ++i) {
    const SpeedEstimator::Round round{100.0, 20.0 + random.uniform()};
    ratio.add(round);
    affine.add(round);
    EXPECT_EQ(affine.estimate().per_step, ratio.estimate().per_step);
    EXPECT_EQ(affine.estimate().fixed, 0.0);
  }
}

TEST(SpeedEstimator, AffineFindsTheFixedCost) {
  SpeedEstimator estimator(SpeedModel::kAffine, 0.9);
  for (const double steps : {100.0, 40.0, 200.0, 70.0}) {
    estimator.add({steps, with_fixed_cost(steps)});
  }
  EXPECT_NEAR(estimator.estimate().fixed, 7.5, 1e-6);
  EXPECT_NEAR(estimator.estimate().per_step, 0.15, 1e-8);
}

/// The bar of the specification; with 5 % noise nothing can be better than 4 %.
TEST(SpeedEstimator, AffineAtLeastHalvesTheErrorOfPredictions) {
  double ratio = 0.0;
  double affine = 0.0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto seconds = [](int, double steps) { return with_fixed_cost(steps); };
    ratio += prediction_error(SpeedModel::kRatio, seed, seconds) / 20.0;
    affine += prediction_error(SpeedModel::kAffine, seed, seconds) / 20.0;
  }
  RecordProperty("ratio_error", std::to_string(ratio));
  RecordProperty("affine_error", std::to_string(affine));
  EXPECT_LT(affine, 0.5 * ratio);
  EXPECT_LT(affine, 0.05);
}

TEST(SpeedEstimator, OneOutlierHardlyMovesAffine) {
  SpeedEstimator estimator(SpeedModel::kAffine, 0.9);
  for (int i = 0; i < 12; ++i) {
    const double steps = 40.0 + 14.0 * i;
    estimator.add({steps, with_fixed_cost(steps) * (i == 9 ? 4.0 : 1.0)});
  }
  EXPECT_NEAR(estimator.estimate().of(100.0), with_fixed_cost(100.0), 0.005 * 22.5);
}

TEST(SpeedEstimator, AffineShrugsOutliersOff) {
  const auto seconds = [](int round, double steps) {
    return with_fixed_cost(steps) * (round % 9 == 5 ? 4.0 : 1.0);
  };
  double ratio = 0.0;
  double affine = 0.0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    ratio += prediction_error(SpeedModel::kRatio, seed, seconds) / 20.0;
    affine += prediction_error(SpeedModel::kAffine, seed, seconds) / 20.0;
  }
  EXPECT_LT(affine, 0.5 * ratio);
}

TEST(SpeedEstimator, AffineIsRatioWhereSquaresOverflow) {
  SpeedEstimator affine(SpeedModel::kAffine, 0.9);
  SpeedEstimator ratio(SpeedModel::kRatio, 0.9);
  for (const double steps : {2.0, 10.0, 4.0, 7.0}) {
    affine.add({steps, steps * 1e200});
    ratio.add({steps, steps * 1e200});
  }
  EXPECT_EQ(affine.estimate().fixed, 0.0);
  EXPECT_EQ(affine.estimate().per_step, ratio.estimate().per_step);
}

TEST(SpeedEstimator, AffineFollowsAChangeOfSpeed) {
  SpeedEstimator estimator(SpeedModel::kAffine, 0.9);
  Random random({5});
  const auto run = [&](int rounds, double factor) {
    double error = 0.0;
    for (int i = 0; i < rounds; ++i) {
      const double steps = 40.0 + static_cast<double>(random.below(161));
      const double actual = factor * with_fixed_cost(steps) * (1.0 + 0.05 * random.normal());
      if (!estimator.empty()) error = std::abs(estimator.estimate().of(steps) / actual - 1.0);
      estimator.add({steps, actual});
    }
    return error;
  };
  EXPECT_LT(run(40, 1.0), 0.15);
  EXPECT_LT(run(9, 5.0), 0.25) << "after nine rounds at five times the time";
  EXPECT_LT(run(40, 5.0), 0.15);
}

/// The same in a federation, where the scheduler chooses the steps.
TEST(SpeedEstimator, AffinePredictsArrivalsOfAFederation) {
  Scenario scenario;
  scenario.policy.latest_time_factor = 1.2;
  scenario.arrivals = 3000;
  for (int i = 0; i < 10; ++i) {
    const double speed = 0.15 * (0.4 + 0.25 * i);
    scenario.clients.push_back(
        {.id = i, .seconds_per_step = {speed}, .overhead_seconds = {50.0 * speed}, .noise = 0.05});
  }
  scenario.policy.speed_model = SpeedModel::kRatio;
  const Summary ratio = simulate(scenario);
  scenario.policy.speed_model = SpeedModel::kAffine;
  const Summary affine = simulate(scenario);
  RecordProperty("ratio_error", std::to_string(ratio.mean_error_share));
  RecordProperty("affine_error", std::to_string(affine.mean_error_share));
  EXPECT_LT(affine.mean_error_share, 0.5 * ratio.mean_error_share);
}

}  // namespace
}  // namespace convoy::tests
