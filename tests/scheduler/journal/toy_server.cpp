// SPDX-License-Identifier: Apache-2.0
#include "tests/scheduler/journal/toy_server.h"

#include <spdlog/fmt/fmt.h>

#include <bit>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/random.h"
#include "scheduler/generator.h"
#include "scheduler/simulator.h"

namespace convoy::tests {

using namespace scheduler;
using Json = nlohmann::json;

namespace {

constexpr std::size_t kParameters = 64;

Input read_input(const Json& line) {
  Input input{.time = line.at("t")};
  const std::string kind = line.at("kind");
  if (kind == "join") {
    input.kind = Input::Kind::kJoin;
    input.samples = line.at("samples");
  }
  if (kind == "arrive") {
    input.kind = Input::Kind::kArrive;
    input.update.round = line.at("round");
    input.update.local_steps = line.at("local_steps");
    input.duration = line.at("duration");
  }
  if (kind == "shutdown") input.kind = Input::Kind::kShutdown;
  input.update.client = line.value("client", std::int64_t{0});
  return input;
}

}  // namespace

std::string site_of(std::int64_t client) { return "site-" + std::to_string(client); }

std::string id_of(UpdateName name) { return fmt::format("c{}-r{}", name.first, name.second); }

std::vector<std::byte> payload_of(UpdateName name) {
  Random random(
      {static_cast<std::uint64_t>(name.first), static_cast<std::uint64_t>(name.second), 99});
  std::vector<std::byte> payload(kParameters + random.below(9000));
  for (auto& value : payload) value = static_cast<std::byte>(random.below(256));
  return payload;
}

Scenario crash_scenario() {
  Scenario scenario;
  scenario.policy.min_local_steps = 20;
  scenario.policy.max_local_steps = 100;
  scenario.policy.late_flush_auto = true;
  scenario.policy.latest_time_factor = 1.1;
  ClientGenerator generator{.clients = 8, .distribution = Distribution::kExponential};
  generator.behaviour.noise = 0.2;
  generator.behaviour.samples = 7;
  scenario.clients = generate_clients(generator, 4);
  scenario.seed = 4;
  scenario.arrivals = 260;
  return scenario;
}

std::vector<Input> inputs_of(const Scenario& scenario) {
  std::vector<Input> inputs;
  simulate(scenario, [&](std::string_view text) {
    const Json line = Json::parse(text);
    if (line.contains("seq")) inputs.push_back(read_input(line));
  });
  return inputs;
}

ToyServer::ToyServer(const PolicyConfig& config, Payload payload)
    : policy_(make_policy(config)), payload_(std::move(payload)), model_(kParameters, 0.0) {}

std::string ToyServer::handle(const Input& input) {
  std::string text;
  for (const Action& action : apply(*policy_, input)) {
    text += to_line(policy_->now(), action) + ";";
    if (const auto* sum = std::get_if<Aggregate>(&action)) add(sum->members);
    if (const auto* flush = std::get_if<Flush>(&action)) add(flush->members);
  }
  ++handled_;
  return text;
}

void ToyServer::add(const std::vector<Contribution>& members) {
  for (const Contribution& member : members) {
    const UpdateName name(member.client, member.round);
    const auto payload = payload_(name);
    for (std::size_t i = 0; i < kParameters; ++i) {
      const auto value = static_cast<double>(std::to_integer<int>(payload.at(i)) - 128);
      model_[i] += member.coefficient * (value / 3.0 - model_[i]);
    }
    summed_.insert(name);
  }
}

std::string ToyServer::model() const {
  std::string text;
  for (const double value : model_) text += to_hex(std::bit_cast<std::uint64_t>(value));
  return text;
}

std::string ToyServer::save() const {
  Json model = Json::array();
  for (const double value : model_) model.push_back(std::bit_cast<std::uint64_t>(value));
  return Json{{"policy", policy_->save()}, {"model", model}, {"handled", handled_}}.dump();
}

void ToyServer::load(const std::string& state) {
  const Json json = Json::parse(state);
  policy_->load(json.at("policy"));
  for (std::size_t i = 0; i < kParameters; ++i) {
    model_[i] = std::bit_cast<double>(json.at("model").at(i).get<std::uint64_t>());
  }
  handled_ = json.at("handled");
}

}  // namespace convoy::tests
