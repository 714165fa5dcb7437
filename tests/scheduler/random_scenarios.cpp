// SPDX-License-Identifier: Apache-2.0
#include "tests/scheduler/random_scenarios.h"

#include <cmath>

#include "base/random.h"

namespace convoy::tests {
namespace {

bool chance(Random& random, double probability) { return random.uniform() < probability; }

double pick(Random& random, std::initializer_list<double> values) {
  return *(values.begin() + random.below(values.size()));
}

double random_speed(Random& random, int kind) {
  if (kind == 0) return 0.25;
  if (kind == 1) return pick(random, {0.125, 0.25, 0.5, 1.0});  // ties
  if (kind == 2) return 0.15 * std::max(0.1, 1.0 + 0.3 * random.normal());
  return -0.15 * std::log(1.0 - random.uniform());
}

scheduler::PolicyConfig random_policy(Random& random, scheduler::Algorithm algorithm) {
  scheduler::PolicyConfig policy;
  policy.algorithm = algorithm;
  policy.min_local_steps = 1 + static_cast<std::int64_t>(random.below(40));
  policy.max_local_steps = policy.min_local_steps + static_cast<std::int64_t>(random.below(160));
  if (chance(random, 0.2)) policy.max_local_steps = policy.min_local_steps;
  if (chance(random, 0.5)) policy.initial_local_steps = policy.max_local_steps;
  policy.latest_time_factor = pick(random, {1.0, 1.0, 1.1, 1.25, 1.5, 3.0});
  policy.speed_momentum = pick(random, {0.1, 0.5, 0.75, 0.9, 1.0});
  if (chance(random, 0.5)) policy.evict_after = pick(random, {5.0, 20.0, 60.0});
  if (chance(random, 0.4)) policy.late_flush_after = pick(random, {1.0, 10.0, 40.0});
  if (chance(random, 0.5)) policy.deadline = pick(random, {5.0, 25.0, 100.0});
  policy.min_updates = 1 + static_cast<std::int64_t>(random.below(3));
  policy.buffer_size = 1 + static_cast<std::int64_t>(random.below(5));
  return policy;
}

}  // namespace

scheduler::Scenario random_scenario(std::uint64_t seed, scheduler::Algorithm algorithm) {
  Random random({seed, 0x7363656eULL});
  scheduler::Scenario scenario;
  scenario.seed = seed;
  scenario.policy = random_policy(random, algorithm);
  const auto clients = 1 + random.below(chance(random, 0.2) ? 60 : 8);
  const int kind = static_cast<int>(random.below(4));
  const double noise = pick(random, {0.0, 0.0, 0.05, 0.3});
  const bool flaky = chance(random, 0.4);
  for (std::uint64_t i = 0; i < clients; ++i) {
    scheduler::SimulatedClient client{.id = static_cast<std::int64_t>(i) + 10,
                                      .samples = 1 + static_cast<std::int64_t>(random.below(99)),
                                      .seconds_per_step = {random_speed(random, kind)}};
    client.noise = noise;
    if (chance(random, 0.1)) client.seconds_per_step.push_back(5.0 * random_speed(random, kind));
    if (chance(random, 0.3)) client.overhead_seconds = {pick(random, {0.5, 2.0})};
    if (chance(random, 0.1)) client.drift = 0.5;
    if (flaky && chance(random, 0.3)) client.absence_probability = 0.1;
    client.absence_seconds = 50.0;
    if (flaky && chance(random, 0.2)) client.vanish_after_arrivals = random.below(6);
    if (flaky && chance(random, 0.2)) client.absences.push_back({2, 30.0});
    scenario.clients.push_back(std::move(client));
  }
  scenario.arrivals = 20 + static_cast<std::int64_t>(random.below(200));
  return scenario;
}

}  // namespace convoy::tests
