// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "scheduler/scenario.h"
#include "trainer/federated/federation_config.h"

namespace convoy::trainer {

/// The federation as a scenario of the simulator: same policy, clients, speeds, noise and end. With
/// the virtual clock the simulator makes the same events.
/// @param samples  [clients] declared by each.
/// @param measured_step_seconds  of this machine; used where config.speed_unit is "measured".
[[nodiscard]] scheduler::Scenario make_scenario(const FederationConfig& config,
                                                const std::string& name,
                                                const std::vector<std::int64_t>& samples,
                                                std::uint64_t seed, double measured_step_seconds);

}  // namespace convoy::trainer
