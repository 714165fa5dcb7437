// SPDX-License-Identifier: Apache-2.0
// Policies that are saved and loaded in the middle of a run.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "scheduler/simulator.h"
#include "tests/scheduler/actions.h"
#include "tests/scheduler/random_scenarios.h"

namespace convoy::tests {
namespace {

using namespace scheduler;
using Json = nlohmann::json;

/// The inputs of a simulated run.
std::vector<Input> inputs_of(const Scenario& scenario) {
  std::vector<Input> inputs;
  simulate(scenario, [&](std::string_view text) {
    const Json line = Json::parse(text);
    if (!line.contains("seq")) return;
    Input input{.time = line.at("t")};
    const std::string kind = line.at("kind");
    if (kind == "join") {
      input.kind = Input::Kind::kJoin;
      input.samples = line.at("samples");
    }
    if (kind == "arrive") {
      input.kind = Input::Kind::kArrive;
      input.update.round = line.at("round");
      input.update.local_steps = line.at("local_steps");
    }
    if (kind == "shutdown") input.kind = Input::Kind::kShutdown;
    input.update.client = line.value("client", std::int64_t{0});
    inputs.push_back(input);
  });
  return inputs;
}

std::vector<std::string> feed(Policy& policy, const Input& input) {
  std::vector<std::string> lines;
  for (const Action& action : apply(policy, input)) lines.push_back(to_line(policy.now(), action));
  return lines;
}

TEST(SavedPolicy, GoesOnWithTheSameDecisions) {
  for (const Algorithm algorithm :
       {Algorithm::kFedCompass, Algorithm::kFedAvg, Algorithm::kFedAsync, Algorithm::kFedBuff}) {
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
      Scenario scenario = random_scenario(seed, algorithm);
      if (seed % 2 == 0) scenario.policy.speed_model = SpeedModel::kAffine;
      const auto inputs = inputs_of(scenario);
      const auto whole = make_policy(scenario.policy);
      std::unique_ptr<Policy> parts = make_policy(scenario.policy);
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (i % 7 == 3) {
          const std::string state = parts->save();
          parts = make_policy(scenario.policy);
          parts->load(state);
          ASSERT_EQ(parts->save(), state);
          ASSERT_EQ(parts->next_timer(), whole->next_timer());
          ASSERT_EQ(parts->pending(), whole->pending());
        }
        ASSERT_EQ(feed(*parts, inputs[i]), feed(*whole, inputs[i]))
            << to_text(algorithm) << ", seed " << seed << ", input " << i;
      }
    }
  }
}

TEST(SavedPolicy, KeepsTimesBeyondAllNumbers) {
  PolicyConfig config;
  config.latest_time_factor = 1e300;
  const auto policy = make_policy(config);
  (void)policy->join(0.0, 1, 1);
  (void)policy->update(1e12, {.client = 1, .round = 0, .local_steps = 1});
  const auto loaded = make_policy(config);
  loaded->load(policy->save());
  EXPECT_EQ(loaded->save(), policy->save());
}

TEST(SavedPolicy, IsRefusedWhereItDoesNotFit) {
  PolicyConfig config;
  const auto fedcompass = make_policy(config);
  (void)fedcompass->join(0.0, 1, 1);
  const std::string state = fedcompass->save();
  config.algorithm = Algorithm::kFedAvg;
  EXPECT_THROW(make_policy(config)->load(state), ConfigError);
  EXPECT_THROW(fedcompass->load("{"), ConfigError);
  EXPECT_THROW(fedcompass->load("{}"), ConfigError);
  Json damaged = Json::parse(state);
  damaged["algorithm_state"].erase("groups");
  EXPECT_THROW(make_policy(PolicyConfig{})->load(damaged.dump()), ConfigError);
}

}  // namespace
}  // namespace convoy::tests
