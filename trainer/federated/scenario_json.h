// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "scheduler/scenario.h"

namespace convoy::trainer {

/// A scenario of make_scenario() as scheduler::parse_scenario() reads it.
[[nodiscard]] std::string scenario_json(const scheduler::Scenario& scenario);

}  // namespace convoy::trainer
