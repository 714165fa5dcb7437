// SPDX-License-Identifier: Apache-2.0
#include "tests/scheduler/actions.h"

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <stdexcept>

namespace convoy::tests {

using namespace scheduler;

std::vector<std::string> aggregations(const Actions& actions) {
  std::vector<std::string> found;
  for (const auto& action : of_kind<Aggregate>(actions)) {
    std::vector<ClientId> late;
    std::vector<ClientId> clients;
    for (const auto& update : action.members) {
      (update.late ? late : clients).push_back(update.client);
    }
    found.push_back(fmt::format("{} [{}]", to_text(action.trigger), fmt::join(clients, " ")));
    if (!late.empty()) found.back() += fmt::format(" late [{}]", fmt::join(late, " "));
  }
  return found;
}

Actions Driver::join(double now, ClientId client, std::int64_t samples) {
  return take(policy_->join(now, client, samples));
}

Actions Driver::update(double now, ClientId client, std::int64_t steps, bool finite) {
  const Assign& work = assigned(client);
  return take(policy_->update(now, {.client = client,
                                    .round = work.round,
                                    .local_steps = steps < 0 ? work.local_steps : steps,
                                    .finite = finite}));
}

Actions Driver::on_time(double now) { return take(policy_->on_time(now)); }
Actions Driver::evict(double now, ClientId client) { return take(policy_->evict(now, client)); }
Actions Driver::leave(double now, ClientId client) { return take(policy_->leave(now, client)); }

const Assign& Driver::assigned(ClientId client) const {
  const auto found = std::find_if(assigned_.rbegin(), assigned_.rend(),
                                  [&](const Assign& one) { return one.client == client; });
  if (found == assigned_.rend()) throw std::out_of_range("nothing was assigned to this client");
  return *found;
}

Actions Driver::take(Actions actions) {
  for (const auto& assign : of_kind<Assign>(actions)) assigned_.push_back(assign);
  expect_conserved(*policy_);
  return actions;
}

PolicyConfig usual_policy() {
  PolicyConfig policy;
  policy.min_local_steps = 20;
  policy.max_local_steps = 100;
  policy.latest_time_factor = 1.5;
  policy.speed_momentum = 0.75;
  policy.initial_local_steps = 100;
  return policy;
}

Driver two_in_a_group(const PolicyConfig& policy) {
  Driver driver(policy);
  (void)driver.join(0.0, 1);
  (void)driver.join(0.0, 2);
  (void)driver.update(100.0, 1);
  (void)driver.update(100.0, 2);
  EXPECT_EQ(driver.assigned(1).group, 0);
  EXPECT_EQ(driver.assigned(2).group, 0);
  EXPECT_EQ(driver.assigned(2).latest_arrival, 250.0);
  return driver;
}

void expect_conserved(const Policy& policy) {
  const Counts& counts = policy.counts();
  EXPECT_EQ(counts.received, counts.aggregated + counts.refused + policy.pending());
}

}  // namespace convoy::tests
