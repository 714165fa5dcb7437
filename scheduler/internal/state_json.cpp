// SPDX-License-Identifier: Apache-2.0
#include "scheduler/internal/state_json.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "scheduler/internal/base_policy.h"

namespace convoy::scheduler::internal {
namespace {

using Json = nlohmann::json;

/// Changes whenever save() writes something else.
constexpr int kFormat = 1;

}  // namespace

Json time_to_json(double seconds) { return std::isfinite(seconds) ? Json(seconds) : Json(); }

double time_from_json(const Json& json) {
  return json.is_null() ? std::numeric_limits<double>::infinity() : json.get<double>();
}

Json to_json(const std::vector<Pending>& updates) {
  Json list = Json::array();
  for (const Pending& update : updates) {
    list.push_back({update.client, update.round, update.version, update.local_steps});
  }
  return list;
}

std::vector<Pending> pending_from_json(const Json& json) {
  std::vector<Pending> updates;
  for (const Json& update : json) {
    updates.push_back({update.at(0), update.at(1), update.at(2), update.at(3)});
  }
  return updates;
}

Json to_json(const Client& client) {
  const SpeedEstimator::State speed = client.speed.state();
  Json recent = Json::array();
  for (const auto& round : speed.recent) recent.push_back({round.steps, round.seconds});
  return {{"id", client.id},
          {"samples", client.samples},
          {"state", static_cast<int>(client.state)},
          {"round", client.round},
          {"version", client.version},
          {"assigned", client.assigned},
          {"start", client.start},
          {"deadline", time_to_json(client.deadline)},
          {"pace", {client.pace.fixed, client.pace.per_step}},
          {"group", client.group ? Json(*client.group) : Json()},
          {"speed", {{"ratio", speed.ratio}, {"recent", std::move(recent)}}}};
}

void from_json(const Json& json, Client& client) {
  client.id = json.at("id");
  client.samples = json.at("samples");
  client.state = static_cast<Client::State>(json.at("state").get<int>());
  client.round = json.at("round");
  client.version = json.at("version");
  client.assigned = json.at("assigned");
  client.start = json.at("start");
  client.deadline = time_from_json(json.at("deadline"));
  client.pace = {json.at("pace").at(0), json.at("pace").at(1)};
  client.group.reset();
  if (!json.at("group").is_null()) client.group = json.at("group").get<std::int64_t>();
  SpeedEstimator::State speed;
  speed.ratio = json.at("speed").at("ratio");
  for (const Json& round : json.at("speed").at("recent")) {
    speed.recent.push_back({round.at(0), round.at(1)});
  }
  client.speed.restore(std::move(speed));
}

std::string BasePolicy::save() const {
  Json json{
      {"format", kFormat},
      {"algorithm", to_text(config_.algorithm)},
      {"now", now_},
      {"version", version_},
      {"pending", pending_},
      {"shut_down", is_shut_down_},
      {"counts",
       {counts_.received, counts_.aggregated, counts_.refused, counts_.late, counts_.evicted}},
      {"clients", Json::array()}};
  for (const Client& client : roster_.all()) json["clients"].push_back(to_json(client));
  do_save(json["algorithm_state"]);
  return json.dump();
}

void BasePolicy::load(const std::string& state) {
  try {
    const Json json = Json::parse(state);
    require_config(json.at("format") == kFormat, "the state is of another version of convoy");
    require_config(json.at("algorithm") == to_text(config_.algorithm),
                   "the state is one of " + json.at("algorithm").get<std::string>());
    load_json(json);
  } catch (const Json::exception& error) {
    throw ConfigError(std::string("the state of a scheduler is damaged: ") + error.what());
  }
}

void BasePolicy::load_json(const Json& json) {
  now_ = json.at("now");
  version_ = json.at("version");
  pending_ = json.at("pending");
  is_shut_down_ = json.at("shut_down");
  const Json& counts = json.at("counts");
  counts_ = {counts.at(0), counts.at(1), counts.at(2), counts.at(3), counts.at(4)};
  roster_ = {};
  all_samples_ = 0;
  deadlines_.clear();
  for (const Json& saved : json.at("clients")) {
    Client client{.speed = SpeedEstimator(config_.speed_model, config_.speed_momentum)};
    from_json(saved, client);
    const Client& added = roster_.add(std::move(client));
    if (added.takes_part()) all_samples_ += samples_of(added);
    if (added.state == Client::State::kTraining && std::isfinite(added.deadline)) {
      deadlines_.emplace(added.deadline, added.id);
    }
  }
  do_load(json.at("algorithm_state"));
}

}  // namespace convoy::scheduler::internal
