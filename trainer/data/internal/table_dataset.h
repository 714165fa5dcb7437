// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/data/dataset.h"
#include "trainer/data/internal/table.h"

namespace convoy::trainer::internal {

/// Some rows of a table, copied as float32. Not augmented.
class TableDataset : public Dataset {
 public:
  TableDataset(const Table& table, std::span<const std::int64_t> rows);

  [[nodiscard]] std::int64_t size() const override;
  [[nodiscard]] const DataInfo& info() const override { return info_; }
  [[nodiscard]] Batch get(std::span<const std::int64_t> indices,
                          std::uint64_t augment_key) const override;

 private:
  DataInfo info_;
  std::int64_t columns_;
  std::vector<float> features_;       ///< [rows, columns]
  std::vector<std::int64_t> labels_;  ///< [rows], or empty
  std::vector<float> targets_;        ///< [rows], or empty
};

}  // namespace convoy::trainer::internal
