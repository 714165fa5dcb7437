// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/errors.h"
#include "scheduler/policy_file.h"
#include "scheduler/scenario.h"

namespace convoy::tests {
namespace {

using namespace scheduler;

const std::string kClients = R"("clients": [{"id": 1, "seconds_per_step": 0.5}])";
const std::string kHorizon = R"("horizon": {"arrivals": 5})";

std::string file(const std::string& policy, const std::string& clients = kClients,
                 const std::string& horizon = kHorizon) {
  return R"({"policy": {)" + policy + "}, " + clients + ", " + horizon + "}";
}

std::string with_client(const std::string& keys) {
  return file("", R"("clients": [{"id": 7, )" + keys + "}]");
}

void expect_refused(const std::string& text, const std::string& message) {
  try {
    (void)parse_scenario(text, "s.json");
    ADD_FAILURE() << "accepted: " << text;
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.what(), "s.json" + message);
  }
}

TEST(ScenarioFile, ReadsEverything) {
  const Scenario scenario = parse_scenario(R"({
    "name": "n", "what": "w", "seed": 3, "expected": {"whatever": 1},
    "policy": {"algorithm": "fedcompass", "min_local_steps": 20, "max_local_steps": 100,
               "speed_momentum": 0.75, "latest_time_factor": 1.5, "initial_local_steps": 50,
               "speed_model": "affine", "evict_after": 60, "first_round_timeout": 90,
               "late_flush_after": 12.5, "alpha": 0.8, "weights": "equal",
               "staleness": {"function": "hinge", "a": 10, "b": 2}},
    "clients": [{"id": -4, "samples": 600, "seconds_per_step": [0.5, 0.25],
                 "overhead_seconds": [1, 2], "vanish_after_arrivals": 3, "noise": 0.05,
                 "drift": 0.2, "drift_rounds": 10, "absence_probability": 0.1,
                 "absence_seconds": 30, "vanish_probability": 0.01,
                 "absences": [{"after_arrivals": 2, "seconds": 8}]}],
    "horizon": {"arrivals": 7, "seconds": 900}})",
                                           "s.json");
  EXPECT_EQ(scenario.name, "n");
  EXPECT_EQ(scenario.seed, 3U);
  const PolicyConfig& policy = scenario.policy;
  EXPECT_EQ(policy.initial_steps(), 50);
  EXPECT_EQ(policy.speed_model, SpeedModel::kAffine);
  EXPECT_EQ(policy.evict_after, 60.0);
  EXPECT_EQ(policy.first_round_timeout, 90.0);
  EXPECT_EQ(policy.late_flush_after, 12.5);
  EXPECT_EQ(policy.alpha_or_default(), 0.8);
  EXPECT_EQ(policy.weights, WeightBy::kEqual);
  EXPECT_EQ(policy.staleness.function, Staleness::Function::kHinge);
  EXPECT_EQ(policy.staleness.b, 2.0);
  ASSERT_EQ(scenario.clients.size(), 1U);
  const SimulatedClient& client = scenario.clients[0];
  EXPECT_EQ(client.id, -4);
  EXPECT_EQ(client.samples, 600);
  EXPECT_EQ(client.seconds_per_step, (std::vector<double>{0.5, 0.25}));
  EXPECT_EQ(client.vanish_after_arrivals, 3);
  ASSERT_EQ(client.absences.size(), 1U);
  EXPECT_EQ(client.absences[0].after_arrivals, 2);
  EXPECT_EQ(scenario.arrivals, 7);
  EXPECT_EQ(scenario.seconds, 900.0);
}

TEST(ScenarioFile, HasTheDefaultsOfTheSpecification) {
  const Scenario scenario = parse_scenario(file(R"("min_local_steps": 33)"), "s.json");
  EXPECT_EQ(scenario.policy.initial_steps(), 33);
  EXPECT_EQ(scenario.policy.evict_after, PolicyConfig::kNever);
  EXPECT_EQ(scenario.policy.late_flush_after, PolicyConfig::kNever);
  EXPECT_EQ(scenario.policy.alpha_or_default(), 0.9);
  EXPECT_EQ(parse_scenario(file(R"("algorithm": "fedasync")"), "s.json").policy.alpha_or_default(),
            0.6);
}

TEST(ScenarioFile, NamesTheNearestKey) {
  expect_refused(R"({"polcy": {}, )" + kClients + ", " + kHorizon + "}",
                 R"(: unknown key "polcy"; did you mean "policy"?)");
  expect_refused(file(R"("min_local_step": 3)"),
                 R"(: policy: unknown key "min_local_step"; did you mean "min_local_steps"?)");
  expect_refused(
      with_client(R"("seconds_per_stp": 1)"),
      R"(: clients[0]: unknown key "seconds_per_stp"; did you mean "seconds_per_step"?)");
  expect_refused(file("", kClients, R"("horizon": {"arrival": 4})"),
                 R"(: horizon: unknown key "arrival"; did you mean "arrivals"?)");
  expect_refused(file(R"("staleness": {"b": 1, "c": 2})"),
                 R"(: policy.staleness: unknown key "c"; did you mean "a"?)");
}

TEST(ScenarioFile, NamesWrongValues) {
  expect_refused(with_client(R"("seconds_per_step": -1)"),
                 ": clients[0]: seconds_per_step must be at least 0, not -1");
  expect_refused(with_client(R"("seconds_per_step": [])"),
                 ": clients[0]: seconds_per_step is empty");
  expect_refused(with_client(R"("seconds_per_step": [1, "a"])"),
                 ": clients[0]: seconds_per_step[1] must be a finite number, not negative");
  expect_refused(with_client(R"("seconds_per_step": "fast")"),
                 ": clients[0]: seconds_per_step must be a number or a list of numbers, not "
                 "\"fast\"");
  expect_refused(with_client(R"("samples": 4)"),
                 ": clients[0]: key \"seconds_per_step\" is missing");
  expect_refused(with_client(R"("seconds_per_step": 1, "absences": [{"seconds": 3}])"),
                 ": clients[0]: absences[0]: key \"after_arrivals\" is missing");
  expect_refused(with_client(R"("seconds_per_step": 1, "noise": true)"),
                 ": clients[0]: noise must be a number, not true");
  expect_refused(with_client(R"("seconds_per_step": 1, "samples": 0)"),
                 ": clients[0]: samples must be in 1..1000000000000, not 0");
  expect_refused(with_client(R"("seconds_per_step": 1, "vanish_probability": 1.5)"),
                 ": clients[0]: vanish_probability must be in 0..1, not 1.5");
  expect_refused(file("", R"("clients": [{"id": 1.5, "seconds_per_step": 1}])"),
                 ": clients[0]: id must be an integer, not 1.5");
  expect_refused(file("", R"("clients": [{"id": 18446744073709551615, "seconds_per_step": 1}])"),
                 ": clients[0]: id must be in -9223372036854775808..9223372036854775807, not "
                 "18446744073709551615");
  expect_refused(file("", R"("clients": [{"id": 1, "seconds_per_step": 1},
                                         {"id": 1, "seconds_per_step": 1}])"),
                 ": two clients have the id 1");
  expect_refused(file("", R"("clients": [])"), ": clients is empty");
  expect_refused(file("", R"("clients": [3])"), ": clients[0]: must be an object, not number");
  expect_refused(file("", kClients, R"("horizon": {})"), ": horizon: needs arrivals or seconds");
  expect_refused(file("", kClients, R"("horizon": {"arrivals": 0})"),
                 ": horizon: arrivals must be in 1..9223372036854775807, not 0");
  expect_refused(file("", R"("name": "n")"), ": needs either clients or generate");
}

TEST(ScenarioFile, NamesPoliciesThatCannotBe) {
  expect_refused(file(R"("min_local_steps": 20, "max_local_steps": 10)"),
                 ": policy: needs 1 <= min_local_steps <= max_local_steps <= 1000000000, not 20 "
                 "and 10");
  expect_refused(file(R"("min_local_steps": 0)"),
                 ": policy: needs 1 <= min_local_steps <= max_local_steps <= 1000000000, not 0 "
                 "and 200");
  expect_refused(file(R"("latest_time_factor": 0.9)"),
                 ": policy: latest_time_factor must be at least 1, not 0.9");
  expect_refused(file(R"("speed_momentum": 1.5)"),
                 ": policy: speed_momentum must be in 0..1, not 1.5");
  expect_refused(file(R"("initial_local_steps": 0)"),
                 ": policy: initial_local_steps must be in 1..1000000000, not 0");
  expect_refused(file(R"("evict_after": 0)"), ": policy: evict_after must be positive, not 0");
  expect_refused(file(R"("alpha": -1)"), ": policy: alpha must be positive and finite, not -1");
  expect_refused(file(R"("algorithm": "fedprox")"),
                 ": policy: algorithm must be one of \"fedcompass\", \"fedavg\", \"fedasync\", "
                 "\"fedbuff\", not \"fedprox\"");
  expect_refused(file(R"("buffer_size": 0)"), ": policy: buffer_size must be at least 1, not 0");
}

TEST(ScenarioFile, RefusesTimeThatStandsStill) {
  const std::string instant = R"("clients": [{"id": 3, "seconds_per_step": [1, 0]}])";
  expect_refused(file("", instant, R"("horizon": {"seconds": 10})"),
                 ": the rounds of client 3 come to take no time, so the horizon needs arrivals");
  EXPECT_NO_THROW((void)parse_scenario(file("", instant), "s.json"));
}

TEST(ScenarioFile, RefusesHostileJson) {
  EXPECT_THROW((void)parse_scenario("", "s.json"), ConfigError);
  EXPECT_THROW((void)parse_scenario("[]", "s.json"), ConfigError);
  EXPECT_THROW((void)parse_scenario("{\"policy\": \xff}", "s.json"), ConfigError);
  EXPECT_THROW((void)parse_scenario(file(R"("alpha": 1e999)"), "s.json"), ConfigError);
  EXPECT_THROW((void)parse_scenario(file(R"("alpha": NaN)"), "s.json"), ConfigError);
  EXPECT_THROW((void)parse_scenario(std::string(1'000'000, '['), "s.json"), ConfigError);
  expect_refused(file(R"("alpha": 1, "alpha": 2)"), ": key \"alpha\" stands twice in one object");
  expect_refused("{",
                 ": no JSON: parse error at line 1, column 2: syntax error while parsing "
                 "object key - unexpected end of input; expected string literal");
}

TEST(PolicyFile, WritesWhatItReads) {
  const std::string text =
      R"({"algorithm": "fedbuff", "late_flush_after": "auto", "evict_after": 7.25, "deadline": 3,
          "speed_model": "affine", "weights": "equal", "buffer_size": 3, "min_updates": 2,
          "staleness": {"function": "constant"}})";
  const std::string once = to_json(parse_policy(text, "p"));
  EXPECT_EQ(to_json(parse_policy(once, "p")), once);
  const PolicyConfig config = parse_policy(once, "p");
  EXPECT_TRUE(config.late_flush_auto);
  EXPECT_EQ(config.evict_after, 7.25);
  EXPECT_EQ(config.first_round_timeout, 7.25);
  EXPECT_EQ(config.late_flush_after, PolicyConfig::kNever);
  EXPECT_EQ(config.buffer_size, 3);
}

}  // namespace
}  // namespace convoy::tests
