// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "trainer/data/data_config.h"
#include "trainer/data/internal/table.h"

namespace convoy::trainer::internal {

/// Reads the file `config.path`: a header line, numbers in all columns except that of
/// `config.label`. For "classify" the labels are any text, numbered by their place in
/// `config.labels`; without that sorted, as integers if all are, and numbered from 0. Where
/// `config.columns` names features only they are read. `limit`: only the first so many rows; 0: all.
/// @throws ConfigError that names file, line and column.
[[nodiscard]] Table read_csv_table(const DataConfig& config, std::int64_t limit);

}  // namespace convoy::trainer::internal
