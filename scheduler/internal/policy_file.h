// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "scheduler/policy_config.h"

namespace convoy::scheduler::internal {

/// @throws ConfigError "<where>: ..." for unknown keys, wrong types and values.
[[nodiscard]] PolicyConfig read_policy(const nlohmann::json& json, const std::string& where);

}  // namespace convoy::scheduler::internal
