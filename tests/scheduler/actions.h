// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "scheduler/event_log.h"

namespace convoy::tests {

/// The actions of one kind.
template <typename T>
std::vector<T> of_kind(const scheduler::Actions& actions) {
  std::vector<T> found;
  for (const auto& action : actions) {
    if (const auto* one = std::get_if<T>(&action)) found.push_back(*one);
  }
  return found;
}

/// "first [3]", "complete [2 3] late [1]", ... for each aggregation.
[[nodiscard]] std::vector<std::string> aggregations(const scheduler::Actions& actions);

/// Drives a policy by hand: answers whatever was assigned.
class Driver {
 public:
  explicit Driver(const scheduler::PolicyConfig& config)
      : policy_(scheduler::make_policy(config)) {}

  scheduler::Actions join(double now, scheduler::ClientId client, std::int64_t samples = 1);
  /// All the steps that the client was assigned, or `steps` of them.
  scheduler::Actions update(double now, scheduler::ClientId client, std::int64_t steps = -1,
                            bool finite = true);
  scheduler::Actions on_time(double now);
  scheduler::Actions evict(double now, scheduler::ClientId client);
  scheduler::Actions leave(double now, scheduler::ClientId client);

  [[nodiscard]] scheduler::Policy& policy() { return *policy_; }
  /// What the client was told last.
  [[nodiscard]] const scheduler::Assign& assigned(scheduler::ClientId client) const;

 private:
  scheduler::Actions take(scheduler::Actions actions);

  std::unique_ptr<scheduler::Policy> policy_;
  std::vector<scheduler::Assign> assigned_;
};

/// FedCompass with 20 to 100 steps, the most first.
[[nodiscard]] scheduler::PolicyConfig usual_policy();

/// Clients 1 and 2, of one second a step, in group 0, which began at 100 and is expected at 200, at
/// latest at 250.
[[nodiscard]] Driver two_in_a_group(const scheduler::PolicyConfig& policy = usual_policy());

/// received = aggregated + refused + pending.
void expect_conserved(const scheduler::Policy& policy);

}  // namespace convoy::tests
