// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/update_facts.h"

#include <nlohmann/json.hpp>

#include "base/json_object.h"

namespace convoy::trainer {

using Json = nlohmann::ordered_json;

std::string to_text(const UpdateFacts& facts) {
  const net::UploadBegin& begin = facts.begin;
  Json json{{"run", facts.run},
            {"round", begin.round},
            {"version", begin.version},
            {"steps", begin.steps},
            {"samples", begin.samples},
            {"position", begin.position},
            {"training_seconds", begin.training_seconds},
            {"finite", begin.finite},
            {"metrics", Json::object()}};
  if (begin.epsilon) json["epsilon"] = *begin.epsilon;
  for (const auto& metric : begin.metrics) json["metrics"][metric.name] = metric.value;
  return json.dump();
}

UpdateFacts facts_of(const scheduler::journal::StoredUpdate& stored) {
  const auto json = parse_json(stored.facts, "the outbox's facts");
  const JsonObject object(json, "the outbox's facts",
                          {"run", "round", "version", "steps", "samples", "position",
                           "training_seconds", "finite", "metrics", "epsilon"});
  UpdateFacts facts{.run = object.text("run")};
  net::UploadBegin& begin = facts.begin;
  begin.update_id = stored.id;
  begin.sha256 = stored.sha256;
  begin.bytes = static_cast<std::int64_t>(stored.bytes);
  begin.round = object.integer("round", 0);
  begin.version = object.integer("version", 0);
  begin.steps = object.integer("steps", 1);
  begin.samples = object.integer("samples", 1);
  begin.position = object.integer("position", 0);
  begin.training_seconds = object.number("training_seconds", 0.0);
  if (object.has("epsilon")) begin.epsilon = object.number("epsilon", 0.0);
  begin.finite = object.at("finite").get<bool>();
  for (const auto& [name, value] : object.at("metrics").items()) {
    begin.metrics.push_back({.name = name, .value = value.get<double>()});
  }
  return facts;
}

}  // namespace convoy::trainer
