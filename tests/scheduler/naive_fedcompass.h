// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "scheduler/scenario.h"

namespace convoy::tests {

/// The decisions of FedCompass with speed model ratio in virtual time, written down a second time
/// in the plainest way: every question looks at every group and every member. Lines as
/// decision_line() makes them. O(arrivals * clients).
[[nodiscard]] std::vector<std::string> naive_fedcompass(const scheduler::Scenario& scenario);

/// The same lines from the simulator.
[[nodiscard]] std::vector<std::string> simulated_decisions(const scheduler::Scenario& scenario);

}  // namespace convoy::tests
