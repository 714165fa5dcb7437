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

Json to_json(const StepGuard::State& guard) {
  return {{"dense", guard.dense},
          {"next_trial", guard.next_trial},
          {"interval", guard.interval},
          {"losses", guard.losses}};
}

StepGuard::State guard_of(const Json& json) {
  return {json.at("dense").get<bool>(), json.at("next_trial").get<std::int64_t>(),
          json.at("interval").get<std::int64_t>(), json.at("losses").get<int>()};
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
  if (state.guard) json["guard"] = to_json(*state.guard);
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
    if (json.contains("guard")) state.guard = guard_of(json.at("guard"));
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
