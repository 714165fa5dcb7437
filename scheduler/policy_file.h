// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "scheduler/policy_config.h"

namespace convoy::scheduler {

/// The JSON object of a policy, as in scenarios (docs/scheduling.md). @param source  what messages
/// call it. @throws ConfigError in one line that names source and key, also as check().
[[nodiscard]] PolicyConfig parse_policy(std::string_view text, const std::string& source);

/// What parse_policy() reads back, in one line.
[[nodiscard]] std::string to_json(const PolicyConfig& config);

}  // namespace convoy::scheduler
