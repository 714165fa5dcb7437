// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "trainer/data/data_config.h"

namespace convoy::trainer::internal {

enum class Format : std::uint8_t { kIdx, kCifar, kText, kCsv, kSynthetic };

/// Which format the name asks for, if all values of `config` are possible. Reads no file.
/// @throws ConfigError that names the key, its value and what it may be.
Format check_config(const DataConfig& config);

}  // namespace convoy::trainer::internal
