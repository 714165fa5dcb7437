// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/data/data_config.h"
#include "trainer/data/dataset.h"

namespace convoy::trainer {

/// What a site's data must look like for the job's model to learn from them.
struct DataSchema {
  std::string kind;     ///< data.name
  std::string task;     ///< "classify" | "language" | "regress"
  std::string element;  ///< of a sample: "float32" | "int64"
  std::vector<std::int64_t> input_shape;
  std::int64_t classes = 0;
  // csv only
  std::string label;
  std::vector<std::string> columns;  ///< features in the model's order; empty: the job names none
  std::vector<std::string> labels;   ///< of the classes by number; empty: the job names none

  bool operator==(const DataSchema&) const = default;
};

/// @param info  of data that were loaded by `config`, or info_without_data().
[[nodiscard]] DataSchema schema_of(const DataConfig& config, const DataInfo& info);

/// What load_datasets() would say of its data, for a server that has none.
/// @throws ConfigError as check_sites_data().
[[nodiscard]] DataInfo info_without_data(const DataConfig& config);

/// Sites have files of their own: of "csv" the job must name columns and labels, or sites would
/// number them each in its way. @throws ConfigError that names the key.
void check_sites_data(const DataConfig& config);

/// "csv to classify: float32 [2] of age, weight; 2 classes of outcome: ill, well".
[[nodiscard]] std::string to_text(const DataSchema& schema);

/// For Join.schema_hash; the same on all machines, and never 0, which is a question there.
[[nodiscard]] std::uint64_t hash_of(const DataSchema& schema);

}  // namespace convoy::trainer
