// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/dataset.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <memory>

#include "base/errors.h"
#include "trainer/data/internal/cifar_dataset.h"
#include "trainer/data/internal/config_rules.h"
#include "trainer/data/internal/csv_dataset.h"
#include "trainer/data/internal/idx_dataset.h"
#include "trainer/data/internal/image_dataset.h"
#include "trainer/data/internal/split.h"
#include "trainer/data/internal/synthetic_dataset.h"
#include "trainer/data/internal/table_dataset.h"
#include "trainer/data/internal/text_dataset.h"

namespace convoy::trainer {
namespace {

Datasets parts_of(const internal::Table& table, const internal::Split& split) {
  return {std::make_shared<const internal::TableDataset>(table, split.train),
          std::make_shared<const internal::TableDataset>(table, split.test)};
}

Datasets load_csv(const DataConfig& config, std::uint64_t seed) {
  internal::Table table = internal::read_csv_table(config, config.limit);
  if (config.task == "classify" && table.classes < 2) {
    throw ConfigError(fmt::format("{}: all rows have the same \"{}\"", config.path, config.label));
  }
  const auto split =
      internal::split_at_random(table.rows(), internal::held_back_share(config), seed, config.path);
  internal::standardize(table, split.train);
  return parts_of(table, split);
}

Datasets load_synthetic(const DataConfig& config, std::uint64_t seed) {
  const std::int64_t count =
      config.limit > 0 ? std::min(config.limit, config.samples) : config.samples;
  const auto split =
      internal::split_at_random(count, internal::held_back_share(config), seed, config.name);
  return parts_of(internal::make_clusters(config, count, seed), split);
}

}  // namespace

Datasets load_datasets(const DataConfig& config, std::uint64_t seed) {
  switch (internal::check_config(config)) {
    case internal::Format::kIdx:
      return internal::load_images(internal::read_idx_images, config, seed);
    case internal::Format::kCifar:
      return internal::load_images(internal::read_cifar_images, config, seed);
    case internal::Format::kText:
      return internal::load_text(config);
    case internal::Format::kCsv:
      return load_csv(config, seed);
    case internal::Format::kSynthetic:
      return load_synthetic(config, seed);
  }
  throw ContractError("load_datasets: a format without a reader");
}

void check_data(const DataConfig& config) {
  switch (internal::check_config(config)) {
    case internal::Format::kIdx:
      return internal::check_images(internal::read_idx_images, config);
    case internal::Format::kCifar:
      return internal::check_images(internal::read_cifar_images, config);
    case internal::Format::kText:
      return internal::check_text(config);
    case internal::Format::kCsv:
      (void)internal::read_csv_table(config, 1);
      return;
    case internal::Format::kSynthetic:
      return;
  }
}

}  // namespace convoy::trainer
