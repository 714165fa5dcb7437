// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/internal/config_rules.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>

#include "base/errors.h"

namespace convoy::trainer::internal {
namespace {

struct Name {
  std::string_view name;
  Format format;
  std::string_view path;  ///< what data.path must be; empty: it may be left out
};

constexpr std::array<Name, 6> kNames{{
    {"fashion-mnist", Format::kIdx, ""},
    {"cifar10", Format::kCifar, "the folder of CIFAR-10's binary version"},
    {"cifar100", Format::kCifar, "the folder of CIFAR-100's binary version"},
    {"text", Format::kText,
     "a file, for example /usr/share/dictd/gcide.dict.dz of Debian's dict-gcide"},
    {"csv", Format::kCsv, "a file with a header line"},
    {"synthetic", Format::kSynthetic, ""},
}};

// Generous: what lies beyond is a slip of the keyboard or would not fit any memory.
constexpr std::int64_t kMost = 1'000'000'000;
constexpr std::int64_t kLargestContext = 1'000'000;
constexpr std::int64_t kLargestPad = 27;  ///< a shift by 28 would push an image out of its frame

const Name& find_name(const std::string& name) {
  const auto* found = std::find_if(kNames.begin(), kNames.end(),
                                   [&](const Name& known) { return known.name == name; });
  if (found != kNames.end()) return *found;
  std::string names;
  for (const Name& known : kNames) names.append(names.empty() ? "" : ", ").append(known.name);
  throw ConfigError(fmt::format("data.name: \"{}\" is none of: {}", name, names));
}

void check_range(std::string_view key, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value >= least && value <= most) return;
  throw ConfigError(fmt::format("data.{} = {}: must be in {}..{}", key, value, least, most));
}

void check_numbers(const DataConfig& config) {
  // Written so that NaN fails too.
  if (!(config.validation >= 0.0 && config.validation < 1.0)) {
    throw ConfigError(fmt::format("data.validation = {}: must be in [0, 1)", config.validation));
  }
  check_range("pad_pixels", config.pad_pixels, 0, kLargestPad);
  check_range("limit", config.limit, 0, kMost);
  check_range("context", config.context, 1, kLargestContext);
  check_range("samples", config.samples, 2, kMost);
  check_range("features", config.features, 1, kMost);
  check_range("classes", config.classes, 2, kMost);
  if (std::max(config.samples, config.classes) > kMost / config.features) {
    throw ConfigError(fmt::format("data: {} samples or {} classes of {} features: beyond {} values",
                                  config.samples, config.classes, config.features, kMost));
  }
}

void check_distinct(std::string_view key, const std::vector<std::string>& texts) {
  std::set<std::string_view> seen;
  for (const auto& text : texts) {
    if (text.empty()) throw ConfigError(fmt::format("data.{}: an empty name", key));
    if (seen.insert(text).second) continue;
    throw ConfigError(fmt::format("data.{}: \"{}\" is there twice", key, text));
  }
}

void check_table_keys(const DataConfig& config, Format format) {
  const bool has_any = !config.columns.empty() || !config.labels.empty();
  if (has_any && format != Format::kCsv) {
    throw ConfigError(fmt::format("data.{}: only \"csv\" has them, not \"{}\"",
                                  config.columns.empty() ? "labels" : "columns", config.name));
  }
  check_distinct("columns", config.columns);
  check_distinct("labels", config.labels);
  if (std::ranges::find(config.columns, config.label) != config.columns.end()) {
    throw ConfigError(fmt::format("data.columns: \"{}\" is data.label", config.label));
  }
  require_config(config.labels.empty() || config.task == "classify",
                 "data.labels: data.task = \"regress\" has no classes");
  require_config(config.labels.size() != 1, "data.labels: must be at least two");
}

}  // namespace

Format check_config(const DataConfig& config) {
  const Name& known = find_name(config.name);
  check_numbers(config);
  if (config.path.empty() && !known.path.empty()) {
    throw ConfigError(fmt::format("data.path: \"{}\" needs {}", config.name, known.path));
  }
  if (config.task != "classify" && config.task != "regress") {
    throw ConfigError(fmt::format("data.task: \"{}\" is none of: classify, regress", config.task));
  }
  const bool images = known.format == Format::kIdx || known.format == Format::kCifar;
  if (config.augment && !images) {
    throw ConfigError(fmt::format("data.augment: \"{}\" has no images", config.name));
  }
  if (config.limit == 1 && (!images || config.validation > 0.0)) {
    throw ConfigError("data.limit = 1: leaves no sample for evaluation");
  }
  check_table_keys(config, known.format);
  return known.format;
}

}  // namespace convoy::trainer::internal
