// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace convoy::trainer::internal {

/// Samples that are rows of numbers.
struct Table {
  std::int64_t columns = 0;
  std::int64_t classes = 1;          ///< 1: the rows have targets instead of labels
  std::vector<double> features;      ///< [rows, columns]
  std::vector<std::int64_t> labels;  ///< [rows] below `classes`, or empty
  std::vector<float> targets;        ///< [rows], or empty

  [[nodiscard]] std::int64_t rows() const {
    return static_cast<std::int64_t>(labels.empty() ? targets.size() : labels.size());
  }
};

/// Moves and scales each column of features to mean 0 and standard deviation 1 over `rows`, of
/// which there is at least one; a column that is constant there is only moved.
void standardize(Table& table, std::span<const std::int64_t> rows);

}  // namespace convoy::trainer::internal
