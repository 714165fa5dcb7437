// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "scheduler/scenario.h"

namespace convoy::tests {

/// A small scenario of every kind: few or many clients, all speed distributions (also dyadic ones
/// that tie), noise, drift, absences, vanishing clients, narrow and wide ranges of steps, eviction
/// and late flushes or none. The same seed gives the same one.
[[nodiscard]] scheduler::Scenario random_scenario(std::uint64_t seed,
                                                  scheduler::Algorithm algorithm);

}  // namespace convoy::tests
