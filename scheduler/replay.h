// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>

#include "scheduler/policy_config.h"

namespace convoy::scheduler {

/// What a replay has shown.
struct Replay {
  std::int64_t inputs = 0;
  std::int64_t decisions = 0;  ///< compared and equal
  /// Where the first decision differs, and in what: one line that names the line of the file.
  std::optional<std::string> difference;
};

/// Feeds the inputs of an event log, in their order and at their times, to a new policy, and
/// compares every decision. The policy's own timers do not fire. Lines of other kinds are skipped,
/// and keys that the log has and this version does not write.
/// @param config  without it the log must hold a {"kind":"policy"} line before its first input.
/// @param source  what messages call the log. Memory: one line and the state of the policy.
/// @throws ConfigError in one line that names source and line: no JSON, wrong types, inputs out of
///         sequence.
[[nodiscard]] Replay replay(std::istream& log, const std::optional<PolicyConfig>& config,
                            const std::string& source);

}  // namespace convoy::scheduler
