// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/internal/table.h"

#include <cmath>
#include <cstddef>

namespace convoy::trainer::internal {

void standardize(Table& table, std::span<const std::int64_t> rows) {
  const auto columns = static_cast<std::size_t>(table.columns);
  const auto count = static_cast<double>(rows.size());
  const auto values_of = [&](std::int64_t row) {
    return table.features.data() + row * table.columns;
  };
  // Measured from the first row, so that a constant column comes out as exactly 0.
  const std::vector<double> origin(values_of(rows.front()), values_of(rows.front()) + columns);
  std::vector<double> mean(columns, 0.0);
  for (const std::int64_t row : rows) {
    for (std::size_t c = 0; c < columns; ++c) mean[c] += (values_of(row)[c] - origin[c]) / count;
  }
  std::vector<double> deviation(columns, 0.0);
  for (std::size_t c = 0; c < columns; ++c) mean[c] += origin[c];
  for (const std::int64_t row : rows) {
    for (std::size_t c = 0; c < columns; ++c) {
      const double distance = values_of(row)[c] - mean[c];
      deviation[c] += distance * distance / count;
    }
  }
  for (double& value : deviation) value = value > 0.0 ? std::sqrt(value) : 1.0;
  for (std::size_t i = 0; i < table.features.size(); ++i) {
    table.features[i] = (table.features[i] - mean[i % columns]) / deviation[i % columns];
  }
}

}  // namespace convoy::trainer::internal
