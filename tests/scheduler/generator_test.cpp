// SPDX-License-Identifier: Apache-2.0
#include "scheduler/generator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/errors.h"
#include "scheduler/simulator.h"

namespace convoy::tests {
namespace {

using namespace scheduler;

std::vector<double> speeds(Distribution distribution, std::int64_t clients, std::uint64_t seed) {
  std::vector<double> found;
  for (const auto& client :
       generate_clients({.clients = clients, .distribution = distribution}, seed)) {
    found.push_back(client.seconds_per_step.at(0));
  }
  return found;
}

double mean(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double deviation(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += (value - mean(values)) * (value - mean(values));
  return std::sqrt(sum / static_cast<double>(values.size()));
}

TEST(Generator, DrawsTheDistributions) {
  for (const double speed : speeds(Distribution::kHomogeneous, 50, 1)) EXPECT_EQ(speed, 0.15);
  const auto normal = speeds(Distribution::kNormal, 4000, 1);
  EXPECT_NEAR(mean(normal), 0.15, 0.003);
  EXPECT_NEAR(deviation(normal), 0.045, 0.003);
  const auto exponential = speeds(Distribution::kExponential, 4000, 1);
  EXPECT_NEAR(mean(exponential), 0.15, 0.01);
  EXPECT_NEAR(deviation(exponential), 0.15, 0.012);
  EXPECT_GE(*std::min_element(exponential.begin(), exponential.end()), 0.0015);
}

TEST(Generator, SeedsDecide) {
  EXPECT_EQ(speeds(Distribution::kNormal, 10, 1), speeds(Distribution::kNormal, 10, 1));
  EXPECT_NE(speeds(Distribution::kNormal, 10, 1), speeds(Distribution::kNormal, 10, 2));
  const auto more = speeds(Distribution::kExponential, 20, 5);
  EXPECT_EQ(std::vector(more.begin(), more.begin() + 10),
            speeds(Distribution::kExponential, 10, 5));
}

TEST(Generator, IsReadFromScenarios) {
  const Scenario scenario = parse_scenario(
      R"({"seed": 4, "policy": {}, "horizon": {"arrivals": 50},
          "generate": {"clients": 5, "distribution": "exponential", "mean_seconds_per_step": 2,
                       "fastest": 0.5, "samples": 9, "noise": 0.1, "absence_probability": 0.2,
                       "absence_seconds": 100}})",
      "s.json");
  ASSERT_EQ(scenario.clients.size(), 5U);
  EXPECT_EQ(scenario.clients[4].id, 4);
  EXPECT_EQ(scenario.clients[4].samples, 9);
  EXPECT_EQ(scenario.clients[4].absence_seconds, 100.0);
  for (const auto& client : scenario.clients) EXPECT_GE(client.seconds_per_step[0], 1.0);
  const Summary summary = simulate(scenario);
  double away = 0.0;
  for (const auto& client : summary.clients) away += client.away_seconds;
  EXPECT_GE(away, 100.0);
}

TEST(SimulatedRounds, FollowTheListThenItsLastEntry) {
  const SimulatedClient client{
      .id = 1, .seconds_per_step = {1.0, 2.0}, .overhead_seconds = {5.0, 0.0, 7.0}};
  EXPECT_EQ(simulate_round(client, 0, 0, 10).seconds, 15.0);
  EXPECT_EQ(simulate_round(client, 0, 1, 10).seconds, 20.0);
  EXPECT_EQ(simulate_round(client, 0, 2, 10).seconds, 27.0);
  EXPECT_EQ(simulate_round(client, 0, 99, 10).seconds, 27.0);
}

TEST(SimulatedRounds, HaveAbsencesAndAnEnd) {
  SimulatedClient client{.id = 1, .seconds_per_step = {1.0}, .vanish_after_arrivals = 3};
  client.absences = {{1, 100.0}, {2, 30.0}, {2, 5.0}};
  EXPECT_EQ(simulate_round(client, 0, 0, 10).seconds, 10.0);
  EXPECT_EQ(simulate_round(client, 0, 1, 10).seconds, 110.0);
  EXPECT_EQ(simulate_round(client, 0, 2, 10).absent, 35.0);
  EXPECT_TRUE(simulate_round(client, 0, 2, 10).ends);
  EXPECT_FALSE(simulate_round(client, 0, 3, 10).ends);
}

TEST(SimulatedRounds, DriftStaysWithinItsBounds) {
  const SimulatedClient client{
      .id = 1, .seconds_per_step = {1.0}, .drift = 0.25, .drift_rounds = 20.0};
  double least = 10.0;
  double most = 0.0;
  for (int round = 0; round < 1000; ++round) {
    const double seconds = simulate_round(client, 3, round, 1).seconds;
    least = std::min(least, seconds);
    most = std::max(most, seconds);
  }
  EXPECT_NEAR(least, 0.75, 0.01);
  EXPECT_NEAR(most, 1.25, 0.01);
}

TEST(SimulatedRounds, DependOnNothingButTheirArguments) {
  const SimulatedClient client{.id = 8, .seconds_per_step = {1.0}, .noise = 0.05};
  const double seventh = simulate_round(client, 1, 7, 100).seconds;
  (void)simulate_round(client, 1, 8, 100);
  EXPECT_EQ(simulate_round(client, 1, 7, 100).seconds, seventh);
  EXPECT_NE(simulate_round(client, 2, 7, 100).seconds, seventh);
}

TEST(SimulatedRounds, MustFitIntoANumber) {
  const SimulatedClient client{.id = 8, .seconds_per_step = {1e308}};
  EXPECT_THROW((void)simulate_round(client, 0, 0, 1000), ConfigError);
}

}  // namespace
}  // namespace convoy::tests
