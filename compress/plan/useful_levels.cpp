// SPDX-License-Identifier: Apache-2.0
#include "compress/plan/useful_levels.h"

#include <algorithm>

namespace convoy::compress {

void drop_useless_levels(LayerTable& layer, double squared_norm, Level reference) {
  std::erase_if(layer.levels, [&](const LevelCost& cost) {
    return cost.level < reference && cost.error > 0.0 && cost.error >= squared_norm;
  });
}

}  // namespace convoy::compress
