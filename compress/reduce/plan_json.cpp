// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/plan_json.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/errors.h"

namespace convoy::compress {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(Level level) {
  return level.is_dense() || level.is_half() ? Json(to_text(level)) : Json(level.value());
}

Level level_of(const Json& json) {
  if (json == "dense") return Level::dense();
  if (json == "half") return Level::half();
  const double value = json.get<double>();
  require_config(value > 0.0, "a level must be positive, \"half\" or \"dense\"");
  return Level(value);
}

Json to_json(const PlannedLayer& layer) {
  return {{"name", layer.name},
          {"numel", layer.numel},
          {"level", to_json(layer.level)},
          {"wire_bytes", layer.wire_bytes},
          {"payload_bytes", layer.payload_bytes},
          {"error", layer.error}};
}

PlannedLayer layer_of(const Json& json) {
  return {json.at("name").get<std::string>(), json.value("numel", std::int64_t{0}),
          level_of(json.at("level")),         json.value("wire_bytes", 0.0),
          json.value("payload_bytes", 0.0),   json.value("error", 0.0)};
}

double ratio(double bytes, double to) { return to > 0.0 ? bytes / to : 1.0; }

void add_table_figures(Json& json, const PlanRecord& record) {
  json["error"] = record.error;
  json["max_error"] = record.max_error;
  json["uniform_bytes"] = record.uniform_bytes;
  json["optimum_bytes"] = record.optimum_bytes;
  json["optimum_is_exact"] = record.optimum_is_exact;
  json["uniform_over_plan"] = ratio(record.uniform_bytes, record.bytes);
  json["plan_over_optimum"] = ratio(record.bytes, record.optimum_bytes);
  if (record.predicted_ms > 0.0) {
    json["predicted_ms"] = record.predicted_ms;
    json["dense_predicted_ms"] = record.dense_predicted_ms;
  }
  json["step_error"] = record.step_error;
  json["gather_ms"] = record.gather_ms;
  json["table_ms"] = record.table_ms;
  json["solve_ms"] = record.solve_ms;
}

void read_table_figures(const Json& json, PlanRecord& record) {
  record.error = json.value("error", 0.0);
  record.max_error = json.value("max_error", 0.0);
  record.uniform_bytes = json.value("uniform_bytes", 0.0);
  record.optimum_bytes = json.value("optimum_bytes", 0.0);
  record.optimum_is_exact = json.value("optimum_is_exact", false);
  record.predicted_ms = json.value("predicted_ms", 0.0);
  record.dense_predicted_ms = json.value("dense_predicted_ms", 0.0);
  record.step_error = json.value("step_error", 0.0);
  record.gather_ms = json.value("gather_ms", 0.0);
  record.table_ms = json.value("table_ms", 0.0);
  record.solve_ms = json.value("solve_ms", 0.0);
}

}  // namespace

std::string to_json_line(const PlanRecord& record) {
  Json json{{"version", record.version},
            {"step", record.step},
            {"policy", record.policy},
            {"hash", record.hash},
            {"bytes", record.bytes},
            {"dense_bytes", record.dense_bytes},
            {"dense_over_plan", ratio(record.dense_bytes, record.bytes)}};
  if (record.policy == "lgreco") add_table_figures(json, record);
  json["layers"] = Json::array();
  for (const auto& layer : record.layers) json["layers"].push_back(to_json(layer));
  return json.dump();
}

PlanRecord plan_from_json(const std::string& text, const std::string& origin) {
  try {
    const auto json = Json::parse(text);
    PlanRecord record;
    record.version = json.value("version", std::int64_t{0});
    record.step = json.at("step").get<std::int64_t>();
    record.policy = json.value("policy", std::string("replay"));
    record.hash = json.value("hash", std::string());
    record.bytes = json.value("bytes", 0.0);
    record.dense_bytes = json.value("dense_bytes", 0.0);
    read_table_figures(json, record);
    for (const auto& layer : json.at("layers")) record.layers.push_back(layer_of(layer));
    return record;
  } catch (const std::exception& error) {
    throw ConfigError(origin + ": no plan: " + error.what());
  }
}

std::vector<PlanRecord> read_plans(const std::filesystem::path& path) {
  std::ifstream file(path);
  require_config(file.is_open(), "cannot read plans: " + path.string());
  std::vector<PlanRecord> plans;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    plans.push_back(plan_from_json(line, path.string() + ":" + std::to_string(number)));
    require_config(plans.size() < 2 || plans[plans.size() - 2].step < plans.back().step,
                   path.string() + ":" + std::to_string(number) +
                       ": plans must be in the order of their steps");
  }
  require_config(!plans.empty(), path.string() + " holds no plan");
  return plans;
}

}  // namespace convoy::compress
