// SPDX-License-Identifier: Apache-2.0
#include "scheduler/simulator.h"

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/errors.h"

namespace convoy::tests {
namespace {

using namespace scheduler;
using Json = nlohmann::json;

Scenario two_clients(double seconds_a, double seconds_b) {
  Scenario scenario;
  scenario.policy.min_local_steps = 20;
  scenario.policy.max_local_steps = 100;
  scenario.policy.initial_local_steps = 100;
  scenario.policy.latest_time_factor = 1.5;
  scenario.policy.algorithm = Algorithm::kFedAvg;
  scenario.clients = {{.id = 1, .seconds_per_step = {seconds_a}},
                      {.id = 2, .seconds_per_step = {seconds_b}}};
  return scenario;
}

std::vector<Json> lines_of(const Scenario& scenario) {
  std::vector<Json> lines;
  simulate(scenario, [&](std::string_view line) { lines.push_back(Json::parse(line)); });
  return lines;
}

std::int64_t count(const std::vector<Json>& lines, const std::string& kind) {
  return std::count_if(lines.begin(), lines.end(),
                       [&](const Json& line) { return line.at("kind") == kind; });
}

TEST(Simulator, SumsUpWhatClientsDid) {
  Scenario scenario = two_clients(1.0, 2.0);
  scenario.arrivals = 4;
  const Summary summary = simulate(scenario);
  EXPECT_EQ(summary.seconds, 400.0);
  EXPECT_EQ(summary.versions, 2);
  EXPECT_EQ(summary.local_steps, 400);
  EXPECT_EQ(summary.local_steps_per_second(), 1.0);
  EXPECT_EQ(summary.updates_per_second(), 0.01);
  ASSERT_EQ(summary.clients.size(), 2U);
  EXPECT_EQ(summary.clients[0].busy_seconds, 200.0);
  EXPECT_EQ(summary.clients[0].idle_seconds, 200.0);
  EXPECT_EQ(summary.clients[0].idle_share(), 0.5);
  EXPECT_EQ(summary.clients[1].idle_share(), 0.0);
  EXPECT_EQ(summary.idle_share(), 0.25);
  EXPECT_EQ(summary.predictions, 2);
  EXPECT_EQ(summary.mean_error_seconds, 0.0);
}

TEST(Simulator, CountsUnfinishedRoundsAndVanishedClients) {
  Scenario scenario = two_clients(1.0, 2.0);
  scenario.policy.algorithm = Algorithm::kFedAsync;
  scenario.seconds = 250.0;
  scenario.clients[0].vanish_after_arrivals = 1;
  scenario.clients[1].absences = {{0, 10.0}};
  const Summary summary = simulate(scenario);
  EXPECT_EQ(summary.seconds, 250.0);
  EXPECT_EQ(summary.clients[0].busy_seconds, 100.0);
  EXPECT_EQ(summary.clients[0].away_seconds, 150.0);
  EXPECT_EQ(summary.clients[1].busy_seconds, 240.0);
  EXPECT_EQ(summary.clients[1].away_seconds, 10.0);
  EXPECT_EQ(summary.idle_share(), 0.0);
}

TEST(Simulator, StopsRightAfterTheLastArrival) {
  Scenario scenario = two_clients(1.0, 1.0);
  scenario.policy.algorithm = Algorithm::kFedCompass;
  scenario.arrivals = 3;
  const auto lines = lines_of(scenario);
  EXPECT_EQ(count(lines, "arrive"), 3);
  EXPECT_EQ(lines.back().at("waiting"), Json::array({1}))
      << "the other one arrives at the same time";
}

TEST(Simulator, RunsWhatHappensAtTheHorizonItself) {
  Scenario scenario = two_clients(1.0, 2.0);
  scenario.seconds = 200.0;
  const auto lines = lines_of(scenario);
  EXPECT_EQ(count(lines, "arrive"), 2);
  EXPECT_EQ(count(lines, "aggregate"), 1);
  scenario.seconds = 199.5;
  EXPECT_EQ(count(lines_of(scenario), "arrive"), 1);
}

TEST(Simulator, StopsWhenNothingIsLeft) {
  Scenario scenario = two_clients(1.0, 1.0);
  scenario.policy.algorithm = Algorithm::kFedCompass;
  scenario.arrivals = 1000;
  for (auto& client : scenario.clients) client.vanish_after_arrivals = 2;
  const Summary summary = simulate(scenario);
  EXPECT_EQ(summary.counts.received, 4);
  EXPECT_EQ(summary.seconds, 200.0);
}

TEST(Simulator, RefusesTimesThatNoNumberHolds) {
  Scenario scenario = two_clients(1e306, 1.0);
  scenario.arrivals = 1000000;
  EXPECT_THROW((void)simulate(scenario), ConfigError);
}

TEST(Simulator, LogsTimesBeyondAllNumbersAsNever) {
  Scenario scenario = two_clients(1e10, 2e10);
  scenario.policy.algorithm = Algorithm::kFedCompass;
  scenario.policy.latest_time_factor = 1e300;
  scenario.arrivals = 4;
  const auto lines = lines_of(scenario);
  const auto assign = std::find_if(lines.begin(), lines.end(),
                                   [](const Json& line) { return line.at("kind") == "assign"; });
  ASSERT_NE(assign, lines.end());
  EXPECT_TRUE(assign->at("latest_arrival").is_null());
}

TEST(Simulator, EvictsInVirtualTime) {
  Scenario scenario = two_clients(1.0, 1.0);
  scenario.policy.algorithm = Algorithm::kFedCompass;
  scenario.policy.latest_time_factor = 10.0;
  scenario.policy.evict_after = 150.0;
  scenario.arrivals = 6;
  scenario.clients[1].vanish_after_arrivals = 1;
  const auto lines = lines_of(scenario);
  ASSERT_EQ(count(lines, "evict"), 1);
  const auto evict = std::find_if(lines.begin(), lines.end(),
                                  [](const Json& line) { return line.at("kind") == "evict"; });
  EXPECT_EQ(evict->at("t"), 250.0);
  EXPECT_EQ((evict + 1)->at("trigger"), "evict");
}

TEST(Simulator, SummaryIsOneJsonObject) {
  Scenario scenario = two_clients(1.0, 2.0);
  scenario.arrivals = 4;
  const Json json = Json::parse(to_json(simulate(scenario)));
  EXPECT_EQ(json.at("kind"), "summary");
  EXPECT_EQ(json.at("received"), json.at("aggregated"));
  EXPECT_EQ(json.at("clients").size(), 2U);
}

/// 10,000 clients and 1,000,000 arrivals take 2 s; a tenth of that must not take long either,
/// whatever machine and build this is.
TEST(Simulator, ManyClientsAndGroupsStayFast) {
  for (const std::int64_t fewest : {40, 200}) {
    Scenario scenario;
    scenario.policy.min_local_steps = fewest;
    scenario.arrivals = 40000;
    for (int i = 0; i < 5000; ++i) {
      scenario.clients.push_back({.id = i, .seconds_per_step = {0.02 + 0.0001 * i}, .noise = 0.05});
    }
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(simulate(scenario).counts.received, 40000);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  }
}

}  // namespace
}  // namespace convoy::tests
