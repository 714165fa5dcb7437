// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "scheduler/internal/client.h"

namespace convoy::scheduler::internal {

/// Parts of Policy::save(). Numbers survive to the bit.

/// JSON has no infinity: null.
[[nodiscard]] nlohmann::json time_to_json(double seconds);
[[nodiscard]] double time_from_json(const nlohmann::json& json);

[[nodiscard]] nlohmann::json to_json(const std::vector<Pending>& updates);
[[nodiscard]] std::vector<Pending> pending_from_json(const nlohmann::json& json);

[[nodiscard]] nlohmann::json to_json(const Client& client);
/// Fills a client that has the config's speed model.
void from_json(const nlohmann::json& json, Client& client);

}  // namespace convoy::scheduler::internal
