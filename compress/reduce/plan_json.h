// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "compress/reduce/plan_record.h"

namespace convoy::compress {

/// One line of plans.jsonl: a JSON object without line breaks.
[[nodiscard]] std::string to_json_line(const PlanRecord& record);
/// The inverse; only step and layers (name, level) must be there. `origin` is what errors call it.
/// @throws ConfigError in one line.
[[nodiscard]] PlanRecord plan_from_json(const std::string& text, const std::string& origin);
/// All plans of a plans.jsonl, for --replay-plans. @throws ConfigError that names file and line.
[[nodiscard]] std::vector<PlanRecord> read_plans(const std::filesystem::path& path);

}  // namespace convoy::compress
