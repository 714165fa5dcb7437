// SPDX-License-Identifier: Apache-2.0
#include "launch/bench/scaling_forecast.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/errors.h"

namespace convoy::launch {
namespace {

using Counts = std::vector<int>;

TEST(ScalingForecast, HoldsOutWhatLiesBetween) {
  EXPECT_EQ(held_out_ranks({1, 2, 4, 8}), Counts{4});
  EXPECT_EQ(held_out_ranks({1, 2, 3, 4}), Counts{3});
  EXPECT_EQ(held_out_ranks({1, 2, 4, 8, 16}), Counts{4});
  EXPECT_EQ(held_out_ranks({1, 2, 4, 8, 16, 32}), (Counts{4, 16}));
  EXPECT_EQ(held_out_ranks({1, 2}), Counts{});
}

TEST(ScalingForecast, KnowsWhatFamiliesSendToWhom) {
  EXPECT_DOUBLE_EQ(traffic("none", 4, 16), 1.5);
  EXPECT_DOUBLE_EQ(traffic("power_sgd", 2, 16), 1.0);
  EXPECT_DOUBLE_EQ(traffic("top_k", 4, 16), 3.0);
  EXPECT_DOUBLE_EQ(traffic("top_k", 15, 16), 14.0);
  EXPECT_DOUBLE_EQ(traffic("top_k", 16, 16), 1.875);
}

constexpr double kCompute = 0.3;
constexpr double kSecondsPerByte = 1e-8;
constexpr double kPayload = 4e7;

/// Every rank has a core, nothing overlaps, only bytes take time.
ScalingRun run_of(Growth growth, const std::string& family, int ranks) {
  ScalingRun run{.growth = growth, .family = family, .ranks = ranks, .report = {}};
  const double share = 2.0 * (ranks - 1.0) / ranks;
  run.report.dense_bytes = kPayload * share;
  run.report.bytes = family == "none" ? kPayload * share : kPayload * share / 40;
  const double wire = run.report.bytes * kSecondsPerByte;
  run.report.phases[static_cast<std::size_t>(Phase::kWire)] = wire;
  run.report.collectives = 3.0;
  run.report.alone.seconds = kCompute * run.work();
  run.report.together.seconds = run.report.alone.seconds + wire;
  return run;
}

std::vector<ScalingRun> some_runs() {
  std::vector<ScalingRun> runs;
  for (const Growth growth : {Growth::kWeak, Growth::kStrong}) {
    for (const char* family : {"none", "half"}) {
      for (const int ranks : {1, 2, 4, 8}) runs.push_back(run_of(growth, family, ranks));
    }
  }
  return runs;
}

TEST(ScalingForecast, ForetellsWhatFollowsTheModel) {
  const auto result = forecast(some_runs(), {.held_out = {4}, .most_ranks = 64});
  EXPECT_NEAR(result.model.work, kCompute, 1e-9);
  EXPECT_NEAR(result.model.byte, kSecondsPerByte, 1e-15);
  EXPECT_EQ(result.model.overlap, 0.0);
  EXPECT_LT(result.largest_error(true), 1e-6);
  EXPECT_LT(result.largest_error(false), 1e-6);
  ASSERT_EQ(result.points.size(), 4U * 3U);
  for (const auto& point : result.points) {
    const auto truth = run_of(point.growth, point.family, point.ranks).report.together.seconds;
    EXPECT_NEAR(point.estimate.seconds, truth, 1e-6) << point.ranks;
  }
  EXPECT_EQ(result.points[0].ranks, 16);
  EXPECT_EQ(result.points[2].ranks, 64);
}

TEST(ScalingForecast, NeverLooksAtWhatIsHeldOut) {
  auto runs = some_runs();
  for (ScalingRun& run : runs) {
    if (run.ranks != 4) continue;
    run.report.together.seconds *= 2.0;
    run.report.alone.seconds *= 3.0;
    run.report.bytes *= 5.0;
    run.report.collectives = 50.0;
    run.report.phases[static_cast<std::size_t>(Phase::kWire)] *= 7.0;
  }
  const auto result = forecast(runs, {.held_out = {4}, .most_ranks = 16});
  EXPECT_NEAR(result.model.work, kCompute, 1e-9);
  EXPECT_NEAR(result.model.byte, kSecondsPerByte, 1e-15);
  EXPECT_NEAR(result.largest_error(true), 0.5, 1e-6);
  EXPECT_LT(result.largest_error(false), 1e-6);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    EXPECT_EQ(result.checks[i].held_out, runs[i].ranks == 4);
    EXPECT_NEAR(result.checks[i].error, runs[i].ranks == 4 ? -0.5 : 0.0, 1e-6);
  }
}

TEST(ScalingForecast, NeedsARunOfEveryFamily) {
  EXPECT_THROW((void)forecast(some_runs(), {.held_out = {2, 4, 8}}), ContractError);
}

}  // namespace
}  // namespace convoy::launch
