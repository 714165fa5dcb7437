// SPDX-License-Identifier: Apache-2.0
// The JSON of docs/scheduling.md.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "base/errors.h"
#include "base/file.h"
#include "base/json_object.h"
#include "scheduler/generator.h"
#include "scheduler/internal/policy_file.h"
#include "scheduler/scenario.h"

namespace convoy::scheduler {
namespace {

using Json = JsonObject::Json;

constexpr std::int64_t kMostRounds = 1'000'000'000'000;

/// A number, or a list of them by round; none negative.
std::vector<double> by_round(const JsonObject& object, const char* key) {
  const Json& json = object.at(key);
  if (json.is_number()) return {object.number(key, 0.0)};
  if (!json.is_array()) object.wrong_type(key, "a number or a list of numbers");
  std::vector<double> values;
  for (const Json& value : object.list(key)) {
    const auto number = value.is_number() ? value.get<double>() : -1.0;
    if (!std::isfinite(number) || number < 0.0) {
      object.fail(fmt::format("{}[{}] must be a finite number, not negative", key, values.size()));
    }
    values.push_back(number);
  }
  return values;
}

double probability(const JsonObject& object, const char* key) {
  const double value = object.number(key, 0.0);
  if (value > 1.0) object.fail(fmt::format("{} must be in 0..1, not {}", key, value));
  return value;
}

/// The keys that a client of `clients` and the clients of `generate` share.
void read_behaviour(const JsonObject& object, SimulatedClient& client) {
  if (object.has("samples")) client.samples = object.integer("samples", 1, 1'000'000'000'000);
  if (object.has("overhead_seconds")) {
    client.overhead_seconds = by_round(object, "overhead_seconds");
  }
  if (object.has("noise")) client.noise = object.number("noise", 0.0);
  if (object.has("drift")) {
    client.drift = object.number("drift", 0.0);
    if (client.drift >= 1.0) object.fail("drift must be below 1, or time would run backwards");
  }
  if (object.has("drift_rounds")) client.drift_rounds = object.number("drift_rounds", 1.0);
  if (object.has("absence_probability")) {
    client.absence_probability = probability(object, "absence_probability");
    client.absence_seconds = object.number("absence_seconds", 0.0);
  } else if (object.has("absence_seconds")) {
    object.fail("absence_seconds needs absence_probability");
  }
  if (object.has("vanish_probability")) {
    client.vanish_probability = probability(object, "vanish_probability");
  }
}

SimulatedClient::Absence read_absence(const Json& json, const std::string& where) {
  const JsonObject object(json, where, {"after_arrivals", "seconds"});
  return {object.integer("after_arrivals", 0, kMostRounds), object.number("seconds", 0.0)};
}

SimulatedClient read_client(const Json& json, const std::string& where) {
  const JsonObject object(json, where,
                          {"id", "samples", "seconds_per_step", "overhead_seconds",
                           "vanish_after_arrivals", "absences", "noise", "drift", "drift_rounds",
                           "absence_probability", "absence_seconds", "vanish_probability"});
  SimulatedClient client;
  client.id = object.integer("id");
  client.seconds_per_step = by_round(object, "seconds_per_step");
  read_behaviour(object, client);
  if (object.has("vanish_after_arrivals")) {
    client.vanish_after_arrivals = object.integer("vanish_after_arrivals", 0, kMostRounds);
  }
  if (object.has("absences")) {
    if (!object.at("absences").is_array()) object.wrong_type("absences", "a list");
    for (const Json& absence : object.at("absences")) {
      client.absences.push_back(read_absence(
          absence, fmt::format("{}: absences[{}]", object.where(), client.absences.size())));
    }
  }
  return client;
}

void read_clients(const JsonObject& object, const std::string& source, Scenario& scenario) {
  std::set<ClientId> ids;
  for (const Json& json : object.list("clients")) {
    const std::string where = fmt::format("{}: clients[{}]", source, scenario.clients.size());
    scenario.clients.push_back(read_client(json, where));
    if (!ids.insert(scenario.clients.back().id).second) {
      object.fail(fmt::format("two clients have the id {}", scenario.clients.back().id));
    }
  }
}

void read_distribution(const JsonObject& object, ClientGenerator& generator) {
  const std::string name = object.text("distribution");
  for (const auto known :
       {Distribution::kHomogeneous, Distribution::kNormal, Distribution::kExponential}) {
    if (to_text(known) != name) continue;
    generator.distribution = known;
    return;
  }
  object.fail(R"(distribution must be one of "homogeneous", "normal", "exponential", not ")" +
              name + "\"");
}

void read_generator(const Json& json, const std::string& where, Scenario& scenario) {
  constexpr std::int64_t kMostClients = 1'000'000;
  const JsonObject object(json, where,
                          {"clients", "distribution", "mean_seconds_per_step", "sigma", "fastest",
                           "samples", "overhead_seconds", "noise", "drift", "drift_rounds",
                           "absence_probability", "absence_seconds", "vanish_probability"});
  ClientGenerator generator;
  generator.clients = object.integer("clients", 1, kMostClients);
  if (object.has("distribution")) read_distribution(object, generator);
  if (object.has("mean_seconds_per_step")) {
    generator.mean_seconds_per_step = object.number("mean_seconds_per_step", 0.0);
  }
  if (object.has("sigma")) generator.sigma = object.number("sigma", 0.0);
  if (object.has("fastest")) generator.fastest = object.number("fastest", 0.0);
  read_behaviour(object, generator.behaviour);
  scenario.clients = generate_clients(generator, scenario.seed);
}

void read_horizon(const JsonObject& object, const std::string& source, Scenario& scenario) {
  const JsonObject horizon(object.at("horizon"), source + ": horizon", {"arrivals", "seconds"});
  if (horizon.has("arrivals")) scenario.arrivals = horizon.integer("arrivals", 1);
  if (horizon.has("seconds")) scenario.seconds = horizon.number("seconds", 0.0);
  if (!scenario.arrivals && !scenario.seconds) horizon.fail("needs arrivals or seconds");
}

/// Rounds that take no time would never reach the end.
void check_progress(const JsonObject& object, const Scenario& scenario) {
  if (scenario.arrivals) return;
  for (const SimulatedClient& client : scenario.clients) {
    if (client.seconds_per_step.back() > 0.0 || client.overhead_seconds.back() > 0.0) continue;
    object.fail(fmt::format(
        "the rounds of client {} come to take no time, so the horizon needs arrivals", client.id));
  }
}

}  // namespace

Scenario parse_scenario(std::string_view text, const std::string& source) {
  const Json json = parse_json(text, source);
  const JsonObject object(
      json, source,
      {"name", "what", "seed", "policy", "clients", "generate", "horizon", "expected"});
  Scenario scenario;
  if (object.has("name")) scenario.name = object.text("name");
  if (object.has("seed")) scenario.seed = static_cast<std::uint64_t>(object.integer("seed", 0));
  scenario.policy = internal::read_policy(object.at("policy"), source + ": policy");
  if (object.has("clients") == object.has("generate")) {
    object.fail("needs either clients or generate");
  }
  if (object.has("generate")) {
    read_generator(object.at("generate"), source + ": generate", scenario);
  } else {
    read_clients(object, source, scenario);
  }
  read_horizon(object, source, scenario);
  check_progress(object, scenario);
  return scenario;
}

Scenario read_scenario(const std::filesystem::path& path) {
  return parse_scenario(read_text_file(path), path.string());
}

}  // namespace convoy::scheduler
