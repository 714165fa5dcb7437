// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/plan_state.h"

#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "compress/reduce/plan_json.h"

namespace convoy::compress::internal {
namespace {

using Json = nlohmann::json;

constexpr const char* kOrigin = "compression state of the checkpoint";

Json to_json(const std::optional<PlanRecord>& record) {
  return record ? Json(to_json_line(*record)) : Json();
}

std::optional<PlanRecord> record_of(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return plan_from_json(json.get<std::string>(), kOrigin);
}

}  // namespace

std::string plans_to_json(const PlanState& state) {
  Json json{{"version", state.version},
            {"made_for", state.made_for},
            {"window_steps", state.window_steps},
            {"shadow", state.shadow},
            {"current", to_json(state.current)},
            {"ready", to_json(state.ready)},
            {"layers", Json::object()}};
  for (const auto& [name, layer] : state.layers) json["layers"][name] = layer.shape;
  return json.dump();
}

PlanState plans_from_json(const std::string& text) {
  if (text.empty()) return {};
  try {
    const auto json = Json::parse(text);
    PlanState state;
    state.version = json.at("version").get<std::int64_t>();
    state.made_for = json.at("made_for").get<std::string>();
    state.window_steps = json.at("window_steps").get<std::int64_t>();
    state.shadow = json.at("shadow").get<ShadowSums>();
    state.current = record_of(json.at("current"));
    state.ready = record_of(json.at("ready"));
    for (const auto& [name, shape] : json.at("layers").items()) {
      Layer layer{name, 0, shape.get<std::vector<std::int64_t>>(), 1};
      for (const auto size : layer.shape) layer.numel *= size;
      state.layers[name] = std::move(layer);
    }
    return state;
  } catch (const Json::exception& error) {
    throw ConfigError(std::string(kOrigin) + ": " + error.what());
  }
}

}  // namespace convoy::compress::internal
