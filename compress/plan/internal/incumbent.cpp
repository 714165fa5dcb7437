// SPDX-License-Identifier: Apache-2.0
#include "compress/plan/internal/incumbent.h"

#include "compress/plan/internal/problem.h"

namespace convoy::compress::internal {

Totals totals(const Table& table, ErrorMetric metric, const std::vector<std::size_t>& levels) {
  Totals sum;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const LevelCost& cost = table[i].levels[levels[i]];
    sum.bytes += cost.bytes;
    sum.error += error_in(metric, cost);
  }
  return sum;
}

bool Incumbent::offer(const std::vector<std::size_t>& levels) {
  const Totals sum = totals(table_, metric_, levels);
  if (!(sum.error <= max_error_)) return false;
  if (sum.bytes < best_.bytes) {
    best_ = sum;
    levels_ = levels;
  }
  return true;
}

}  // namespace convoy::compress::internal
