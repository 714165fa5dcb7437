// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/internal/table_dataset.h"

#include <algorithm>
#include <iterator>

#include "trainer/data/internal/check_indices.h"

namespace convoy::trainer::internal {

TableDataset::TableDataset(const Table& table, std::span<const std::int64_t> rows)
    : columns_(table.columns) {
  info_.task = table.labels.empty() ? Task::kRegress : Task::kClassify;
  info_.input_shape = {columns_};
  info_.classes = table.classes;
  features_.reserve(rows.size() * static_cast<std::size_t>(columns_));
  for (const std::int64_t row : rows) {
    const double* first = table.features.data() + row * columns_;
    std::transform(first, first + columns_, std::back_inserter(features_),
                   [](double value) { return static_cast<float>(value); });
    if (table.labels.empty()) {
      targets_.push_back(table.targets[static_cast<std::size_t>(row)]);
    } else {
      labels_.push_back(table.labels[static_cast<std::size_t>(row)]);
    }
  }
}

std::int64_t TableDataset::size() const {
  return static_cast<std::int64_t>(labels_.empty() ? targets_.size() : labels_.size());
}

Batch TableDataset::get(std::span<const std::int64_t> indices, std::uint64_t) const {
  check_indices(indices, size());
  const auto count = static_cast<std::int64_t>(indices.size());
  const bool classify = !labels_.empty();
  Batch batch{
      torch::empty({count, columns_}, torch::kFloat32),
      classify ? torch::empty({count}, torch::kInt64) : torch::empty({count, 1}, torch::kFloat32)};
  auto* inputs = batch.inputs.data_ptr<float>();
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t row = indices[static_cast<std::size_t>(i)];
    std::copy_n(features_.data() + row * columns_, columns_, inputs + i * columns_);
    if (classify) {
      batch.targets.data_ptr<std::int64_t>()[i] = labels_[static_cast<std::size_t>(row)];
    } else {
      batch.targets.data_ptr<float>()[i] = targets_[static_cast<std::size_t>(row)];
    }
  }
  return batch;
}

}  // namespace convoy::trainer::internal
