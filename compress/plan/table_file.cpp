// SPDX-License-Identifier: Apache-2.0
#include "compress/plan/table_file.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/errors.h"
#include "base/file.h"

namespace convoy::compress {
namespace {

using Json = nlohmann::json;

/// One JSON object and what messages call it.
class Object {
 public:
  /// @throws ConfigError unless `json` is an object with no other keys than `known`.
  Object(const Json& json, std::string where, std::initializer_list<std::string_view> known)
      : json_(json), where_(std::move(where)) {
    if (!json.is_object()) fail(fmt::format("must be an object, not {}", json.type_name()));
    for (const auto& [key, value] : json.items()) {
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      fail(fmt::format("unknown key \"{}\"; known: {}", key, fmt::join(known, ", ")));
    }
  }

  [[noreturn]] void fail(const std::string& what) const { throw ConfigError(where_ + ": " + what); }

  [[nodiscard]] const std::string& where() const { return where_; }
  [[nodiscard]] bool has(const char* key) const { return json_.contains(key); }

  [[nodiscard]] const Json& at(const char* key) const {
    if (!has(key)) fail(fmt::format("key \"{}\" is missing", key));
    return json_.at(key);
  }

  /// Finite and not negative.
  [[nodiscard]] double number(const char* key) const {
    const Json& value = at(key);
    if (!value.is_number()) wrong_type(key, "a number");
    const double number = value.get<double>();
    if (!std::isfinite(number) || number < 0.0) {
      fail(fmt::format("{} must be finite and not negative, not {}", key, value.dump()));
    }
    return number;
  }

  [[nodiscard]] std::string text(const char* key) const {
    if (!at(key).is_string()) wrong_type(key, "a string");
    return at(key).get<std::string>();
  }

  [[nodiscard]] const Json& list(const char* key) const {
    if (!at(key).is_array()) wrong_type(key, "a list");
    if (at(key).empty()) fail(fmt::format("{} is empty", key));
    return at(key);
  }

  [[nodiscard]] Level level(const char* key) const {
    if (at(key) == "dense") return Level::dense();
    if (!at(key).is_number()) wrong_type(key, "a number or \"dense\"");
    if (number(key) == 0.0) fail(fmt::format("{} must be positive, not 0", key));
    return Level(number(key));
  }

 private:
  [[noreturn]] void wrong_type(const char* key, const char* wanted) const {
    fail(fmt::format("{} must be {}, not {}", key, wanted, json_.at(key).dump()));
  }

  const Json& json_;
  std::string where_;
};

Json parse_json(std::string_view text, const std::string& source) {
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    const std::string_view what = error.what();  // "[json.exception.parse_error.101] parse ..."
    throw ConfigError(fmt::format("{}: no JSON: {}", source, what.substr(what.find("] ") + 2)));
  }
}

LevelCost parse_level(const Json& json, const std::string& where) {
  const Object object(json, where, {"level", "bytes", "error"});
  return {object.level("level"), object.number("bytes"), object.number("error")};
}

LayerTable parse_layer(const Json& json, const std::string& source, std::size_t index) {
  const Object by_index(json, fmt::format("{}: layers[{}]", source, index),
                        {"name", "numel", "levels"});
  LayerTable layer{.name = by_index.text("name"), .numel = 0, .levels = {}};
  const Object object(json, fmt::format("{}: layer \"{}\"", source, layer.name),
                      {"name", "numel", "levels"});
  if (object.has("numel")) {
    const Json& numel = object.at("numel");
    if (!numel.is_number_integer() || object.number("numel") > 9e18) {
      object.fail("numel must be an integer, not " + numel.dump());
    }
    layer.numel = numel.get<std::int64_t>();
  }
  std::set<Level> seen;
  for (const Json& level : object.list("levels")) {
    const std::string where = fmt::format("{}, levels[{}]", object.where(), layer.levels.size());
    layer.levels.push_back(parse_level(level, where));
    if (!seen.insert(layer.levels.back().level).second) {
      object.fail("level " + to_text(layer.levels.back().level) + " stands there twice");
    }
  }
  return layer;
}

void parse_budget(const Json& json, const std::string& source, TableFile& file) {
  const Object object(json, source + ": budget",
                      {"max_error", "reference_level", "alpha", "metric"});
  if (object.has("metric")) {
    const auto metric = metric_named(object.text("metric"));
    if (!metric) object.fail("metric must be \"squared_l2\" or \"l2\"");
    file.budget.metric = *metric;
  }
  if (object.has("max_error") == object.has("reference_level")) {
    object.fail("needs either max_error or reference_level");
  }
  if (object.has("max_error")) {
    if (object.has("alpha")) object.fail("alpha needs reference_level, not max_error");
    file.max_error = object.number("max_error");
    return;
  }
  file.budget.reference = object.level("reference_level");
  if (object.has("alpha")) file.budget.alpha = object.number("alpha");
}

}  // namespace

std::optional<ErrorMetric> metric_named(std::string_view name) {
  if (name == "squared_l2") return ErrorMetric::kSquaredL2;
  if (name == "l2") return ErrorMetric::kL2;
  return std::nullopt;
}

TableFile parse_table(std::string_view text, const std::string& source) {
  const Json json = parse_json(text, source);
  const Object object(json, source, {"name", "what", "budget", "layers", "expected"});
  TableFile file;
  std::set<std::string> names;
  for (const Json& layer : object.list("layers")) {
    file.table.push_back(parse_layer(layer, source, file.table.size()));
    if (!names.insert(file.table.back().name).second) {
      object.fail("two layers are called \"" + file.table.back().name + "\"");
    }
  }
  parse_budget(object.at("budget"), source, file);
  return file;
}

TableFile read_table(const std::filesystem::path& path) {
  return parse_table(read_text_file(path), path.string());
}

double max_error(const TableFile& file) {
  return file.max_error ? *file.max_error : max_error(file.table, file.budget);
}

}  // namespace convoy::compress
