// SPDX-License-Identifier: Apache-2.0
#include "compress/plan/normalized_errors.h"

namespace convoy::compress {

void normalize_errors(LayerTable& layer, double squared_norm) {
  if (!(squared_norm > 0.0)) return;
  const double mean_square = squared_norm / static_cast<double>(layer.numel);
  for (LevelCost& cost : layer.levels) cost.error /= mean_square;
}

}  // namespace convoy::compress
