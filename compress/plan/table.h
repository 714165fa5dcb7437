// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compress/level.h"

namespace convoy::compress {

/// The candidate levels of one layer, with what each costs.
struct LayerTable {
  std::string name;
  std::int64_t numel = 0;
  std::vector<LevelCost> levels;
};

/// The level table of a model: what a planner chooses from.
using Table = std::vector<LayerTable>;

}  // namespace convoy::compress
