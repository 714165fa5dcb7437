// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/data_schema.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <span>

#include "base/errors.h"
#include "base/hash.h"

namespace convoy::trainer {
namespace {

constexpr std::int64_t kByteValues = 256;

std::string name_of(Task task) {
  switch (task) {
    case Task::kClassify:
      return "classify";
    case Task::kLanguage:
      return "language";
    case Task::kRegress:
      return "regress";
  }
  throw ContractError("a task without a name");
}

/// Fields one after the other, each behind its length: no two schemas give the same bytes.
class Canonical {
 public:
  void add(std::string_view text) { bytes_.append(fmt::format("{}:", text.size())).append(text); }
  void add(std::int64_t number) { add(std::to_string(number)); }
  template <typename T>
  void add(const std::vector<T>& list) {
    add(static_cast<std::int64_t>(list.size()));
    for (const auto& item : list) add(item);
  }
  [[nodiscard]] std::uint64_t hash() const {
    return std::max<std::uint64_t>(hash64(std::as_bytes(std::span<const char>(bytes_))), 1);
  }

 private:
  std::string bytes_;
};

template <typename T>
std::string listed(const std::vector<T>& values) {
  return fmt::format("{}", fmt::join(values, ", "));
}

}  // namespace

DataSchema schema_of(const DataConfig& config, const DataInfo& info) {
  DataSchema schema{.kind = config.name,
                    .task = name_of(info.task),
                    .element = info.task == Task::kLanguage ? "int64" : "float32",
                    .input_shape = info.input_shape,
                    .classes = info.classes};
  if (config.name != "csv") return schema;
  schema.label = config.label;
  schema.columns = config.columns;
  schema.labels = config.labels;
  return schema;
}

DataInfo info_without_data(const DataConfig& config) {
  check_sites_data(config);
  if (config.name == "fashion-mnist") return {Task::kClassify, {1, 28, 28}, 10};
  if (config.name == "cifar10") return {Task::kClassify, {3, 32, 32}, 10};
  if (config.name == "cifar100") return {Task::kClassify, {3, 32, 32}, 100};
  if (config.name == "text") return {Task::kLanguage, {config.context}, kByteValues};
  if (config.name == "synthetic") return {Task::kClassify, {config.features}, config.classes};
  if (config.name == "csv") {
    const auto features = static_cast<std::int64_t>(config.columns.size());
    if (config.task == "regress") return {Task::kRegress, {features}, 1};
    return {Task::kClassify, {features}, static_cast<std::int64_t>(config.labels.size())};
  }
  throw ConfigError(fmt::format("data.name: \"{}\" is unknown", config.name));
}

void check_sites_data(const DataConfig& config) {
  if (config.name != "csv") return;
  require_config(!config.columns.empty(),
                 "data.columns: sites with \"csv\" need the names of the feature columns, in the "
                 "order in which the model gets them");
  require_config(config.task != "classify" || !config.labels.empty(),
                 "data.labels: sites with \"csv\" need the names of all classes, so that each "
                 "numbers them alike");
}

std::string to_text(const DataSchema& schema) {
  std::string text = fmt::format("{} to {}: {} [{}]", schema.kind, schema.task, schema.element,
                                 listed(schema.input_shape));
  if (!schema.columns.empty()) text += " of " + listed(schema.columns);
  if (schema.task == "regress") {
    return text + (schema.label.empty() ? "" : "; target " + schema.label);
  }
  text += fmt::format("; {} classes", schema.classes);
  if (!schema.label.empty()) text += " of " + schema.label;
  if (!schema.labels.empty()) text += ": " + listed(schema.labels);
  return text;
}

std::uint64_t hash_of(const DataSchema& schema) {
  Canonical canonical;
  canonical.add(schema.kind);
  canonical.add(schema.task);
  canonical.add(schema.element);
  canonical.add(schema.input_shape);
  canonical.add(schema.classes);
  canonical.add(schema.label);
  canonical.add(schema.columns);
  canonical.add(schema.labels);
  return canonical.hash();
}

}  // namespace convoy::trainer
