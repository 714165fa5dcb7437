// SPDX-License-Identifier: Apache-2.0
// The scheduler's indices against a second implementation that looks at everything.
#include <gtest/gtest.h>

#include "tests/scheduler/naive_fedcompass.h"
#include "tests/scheduler/random_scenarios.h"

namespace convoy::tests {
namespace {

void expect_equal_decisions(const scheduler::Scenario& scenario, std::uint64_t seed) {
  const auto expected = naive_fedcompass(scenario);
  const auto decided = simulated_decisions(scenario);
  const std::size_t common = std::min(expected.size(), decided.size());
  for (std::size_t i = 0; i < common; ++i) {
    ASSERT_EQ(decided[i], expected[i]) << "decision " << i << " of seed " << seed;
  }
  ASSERT_EQ(decided.size(), expected.size()) << "seed " << seed;
}

TEST(NaiveFedCompass, DecidesTheSameOnRandomScenarios) {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    expect_equal_decisions(random_scenario(seed, scheduler::Algorithm::kFedCompass), seed);
    if (HasFatalFailure()) return;
  }
}

TEST(NaiveFedCompass, DecidesTheSameWithManyGroups) {
  // min_local_steps = max_local_steps: hardly anybody can join a group of another speed.
  for (std::uint64_t seed = 1000; seed < 1004; ++seed) {
    auto scenario = random_scenario(seed, scheduler::Algorithm::kFedCompass);
    scenario.policy.min_local_steps = scenario.policy.max_local_steps = 100;
    scenario.clients.clear();
    for (int i = 0; i < 300; ++i) {
      scenario.clients.push_back({.id = i, .seconds_per_step = {0.05 + 0.001 * i}, .noise = 0.1});
    }
    scenario.arrivals = 2000;
    expect_equal_decisions(scenario, seed);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace convoy::tests
