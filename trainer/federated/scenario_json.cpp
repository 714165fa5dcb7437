// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/scenario_json.h"

#include <nlohmann/json.hpp>

#include "scheduler/policy_file.h"

namespace convoy::trainer {

std::string scenario_json(const scheduler::Scenario& scenario) {
  using Json = nlohmann::ordered_json;
  Json clients = Json::array();
  for (const auto& client : scenario.clients) {
    clients.push_back({{"id", client.id},
                       {"samples", client.samples},
                       {"seconds_per_step", client.seconds_per_step},
                       {"overhead_seconds", client.overhead_seconds},
                       {"noise", client.noise}});
  }
  Json horizon = Json::object();
  if (scenario.arrivals) horizon["arrivals"] = *scenario.arrivals;
  if (scenario.seconds) horizon["seconds"] = *scenario.seconds;
  const Json json{{"name", scenario.name},
                  {"seed", scenario.seed},
                  {"policy", Json::parse(scheduler::to_json(scenario.policy))},
                  {"clients", std::move(clients)},
                  {"horizon", std::move(horizon)}};
  return json.dump(1);
}

}  // namespace convoy::trainer
