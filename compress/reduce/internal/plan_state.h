// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "compress/reduce/internal/step_guard.h"
#include "compress/reduce/plan_record.h"
#include "compress/reduce/reducer.h"
#include "compress/reduce/shadow.h"

namespace convoy::compress::internal {

/// What a checkpoint holds of plans: ReducerState::plans.
struct PlanState {
  std::int64_t version = -1;            ///< of the last plan that took effect
  std::string made_for;                 ///< family, policy and level
  std::optional<PlanRecord> current;    ///< in effect
  std::optional<PlanRecord> ready;      ///< made, and not yet in effect
  std::map<std::string, Layer> layers;  ///< that may be compressed
  std::int64_t window_steps = 0;        ///< steps in the open window
  ShadowSums shadow;
  std::optional<StepGuard::State> guard;  ///< objective "time"
};

[[nodiscard]] std::string plans_to_json(const PlanState& state);
/// Empty text: the state before the first step. @throws ConfigError for damaged text.
[[nodiscard]] PlanState plans_from_json(const std::string& text);

}  // namespace convoy::compress::internal
