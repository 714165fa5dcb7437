// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "compress/plan/plan.h"

namespace convoy::compress {

/// A level table with its budget, as docs/plans.md describes the file.
struct TableFile {
  Table table;
  /// The budget as a number, in `budget.metric`; without it `budget` says it all.
  std::optional<double> max_error;
  Budget budget;
};

/// @param source  what messages call the text, e.g. its path.
/// @throws ConfigError in one line that names source, layer and key: no JSON, unknown or missing
///         keys, wrong types, no layers or levels, a layer name or level twice, negative numbers.
[[nodiscard]] TableFile parse_table(std::string_view text, const std::string& source);

/// @throws ConfigError as parse_table(), and if the file cannot be read.
[[nodiscard]] TableFile read_table(const std::filesystem::path& path);

/// "squared_l2" or "l2"; nothing for other names.
[[nodiscard]] std::optional<ErrorMetric> metric_named(std::string_view name);

/// max_error of the file's budget.
[[nodiscard]] double max_error(const TableFile& file);

}  // namespace convoy::compress
