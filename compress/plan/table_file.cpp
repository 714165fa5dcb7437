// SPDX-License-Identifier: Apache-2.0
#include "compress/plan/table_file.h"

#include <spdlog/fmt/fmt.h>

#include <set>

#include "base/errors.h"
#include "base/file.h"
#include "base/json_object.h"

namespace convoy::compress {
namespace {

using Json = JsonObject::Json;

Level level(const JsonObject& object, const char* key) {
  if (object.at(key) == "dense") return Level::dense();
  if (!object.at(key).is_number()) object.wrong_type(key, "a number or \"dense\"");
  if (object.number(key, 0.0) == 0.0) object.fail(fmt::format("{} must be positive, not 0", key));
  return Level(object.number(key));
}

LevelCost parse_level(const Json& json, const std::string& where) {
  const JsonObject object(json, where, {"level", "bytes", "error"});
  return {level(object, "level"), object.number("bytes", 0.0), object.number("error", 0.0)};
}

LayerTable parse_layer(const Json& json, const std::string& source, std::size_t index) {
  const JsonObject by_index(json, fmt::format("{}: layers[{}]", source, index),
                            {"name", "numel", "levels"});
  LayerTable layer{.name = by_index.text("name"), .numel = 0, .levels = {}};
  const JsonObject object(json, fmt::format("{}: layer \"{}\"", source, layer.name),
                          {"name", "numel", "levels"});
  if (object.has("numel")) layer.numel = object.integer("numel", 0);
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
  const JsonObject object(json, source + ": budget",
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
    file.max_error = object.number("max_error", 0.0);
    return;
  }
  file.budget.reference = level(object, "reference_level");
  if (object.has("alpha")) file.budget.alpha = object.number("alpha", 0.0);
}

}  // namespace

std::optional<ErrorMetric> metric_named(std::string_view name) {
  if (name == "squared_l2") return ErrorMetric::kSquaredL2;
  if (name == "l2") return ErrorMetric::kL2;
  return std::nullopt;
}

TableFile parse_table(std::string_view text, const std::string& source) {
  const Json json = parse_json(text, source);
  const JsonObject object(json, source, {"name", "what", "budget", "layers", "expected"});
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
