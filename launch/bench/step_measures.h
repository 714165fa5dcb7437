// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "launch/bench/step.h"

namespace convoy::launch {

/// What a step took, for JSON: kind of average, efficiency, exposed, encode, wire and decode in
/// seconds, bytes of a rank and step.
[[nodiscard]] nlohmann::ordered_json measures_of(const StepReport& report);

/// Seconds of a step that went to `phase`.
[[nodiscard]] double seconds_of(const StepReport& report, Phase phase);

}  // namespace convoy::launch
