// SPDX-License-Identifier: Apache-2.0
// Saving and loading a FederatedServer. JSON holds what is counted, tensors what is trained:
//   "model/..."                      the Aggregator's state
//   "reference"                      what clients start from, where updates are compressed
//   "start/<version>/<p|b>/<n>"      older models that clients train from
//   "update/<client>/<round>/<p|b>/<n>"   updates that wait; <n> counts parameters or buffers.
//                                    Those with a "weight" in the JSON are in the model's sums.
#include <spdlog/fmt/fmt.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "trainer/federated/federated_server.h"

namespace convoy::trainer {
namespace {

using Json = nlohmann::json;
using TensorMap = std::map<std::string, torch::Tensor>;

constexpr std::string_view kModel = "model/";
constexpr const char* kReference = "reference";

void put(const std::string& prefix, const std::vector<torch::Tensor>& parameters,
         const std::vector<torch::Tensor>& buffers, std::vector<NamedTensor>& out) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    out.push_back({fmt::format("{}/p/{}", prefix, i), parameters[i]});
  }
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    out.push_back({fmt::format("{}/b/{}", prefix, i), buffers[i]});
  }
}

std::vector<torch::Tensor> take(const TensorMap& tensors, const std::string& prefix,
                                std::size_t count) {
  std::vector<torch::Tensor> taken;
  for (std::size_t i = 0; i < count; ++i) {
    const auto found = tensors.find(fmt::format("{}/{}", prefix, i));
    require_config(found != tensors.end(), fmt::format("the checkpoint lacks {}/{}", prefix, i));
    taken.push_back(found->second);
  }
  return taken;
}

std::string start_name(std::int64_t version) { return fmt::format("start/{}", version); }

std::string update_name(std::int64_t client, std::int64_t round) {
  return fmt::format("update/{}/{}", client, round);
}

Json to_json(const Assignment& assignment) {
  return {{"client", assignment.client},     {"round", assignment.round},
          {"steps", assignment.steps},       {"version", assignment.version},
          {"position", assignment.position}, {"updates", assignment.updates}};
}

Json to_json(const ClientReport& report) {
  const LocalResult& result = report.result;
  Json json{{"client", report.client},
            {"round", report.round},
            {"version", result.update.version},
            {"arrival", result.update.arrival},
            {"steps", result.steps},
            {"samples", result.samples},
            {"loss", result.loss}};
  if (result.validation) {
    json["validation"] = {result.validation->loss, result.validation->accuracy,
                          result.validation->samples};
  }
  return json;
}

/// JSON has null for what is not finite: regression has no accuracy, and a loss may overflow.
double number_or_nan(const Json& json) {
  return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}

ClientReport to_report(const Json& json) {
  ClientReport report{.client = json.at("client"), .round = json.at("round")};
  LocalResult& result = report.result;
  result.update.client = report.client;
  result.update.version = json.at("version");
  result.update.arrival = json.at("arrival");
  result.steps = json.at("steps");
  result.samples = json.at("samples");
  result.loss = number_or_nan(json.at("loss"));
  if (json.contains("validation")) {
    const auto& validation = json.at("validation");
    result.validation = Evaluation{number_or_nan(validation.at(0)), number_or_nan(validation.at(1)),
                                   validation.at(2)};
  }
  return report;
}

Assignment to_assignment(const Json& json) {
  return {.client = json.at("client"),
          .round = json.at("round"),
          .steps = json.at("steps"),
          .version = json.at("version"),
          .position = json.at("position"),
          .updates = json.at("updates")};
}

/// What clients started from, where updates are compressed; else empty.
std::vector<float> reference_of(const TensorMap& tensors) {
  const auto found = tensors.find(kReference);
  if (found == tensors.end()) return {};
  const auto* begin = found->second.data_ptr<float>();
  return {begin, begin + found->second.numel()};
}

/// The models that clients train from, each made once.
class Starts {
 public:
  Starts(const TensorMap& tensors, const ModelState& like) : tensors_(tensors), like_(like) {}

  void add(std::int64_t version, const SharedState& start) { starts_.emplace(version, start); }

  [[nodiscard]] SharedState at(std::int64_t version) {
    SharedState& start = starts_[version];
    if (start) return start;
    const std::string name = start_name(version);
    start = std::make_shared<const ModelState>(
        ModelState{take(tensors_, name + "/p", like_.parameters.size()),
                   take(tensors_, name + "/b", like_.buffers.size())});
    return start;
  }

 private:
  const TensorMap& tensors_;
  const ModelState& like_;
  std::map<std::int64_t, SharedState> starts_;
};

}  // namespace

FederationState FederatedServer::save() const {
  FederationState state;
  for (const auto& entry : aggregator_.state()) {
    state.tensors.push_back({std::string(kModel) + entry.name, entry.tensor});
  }
  Json json{{"policy", policy_->save()},
            {"tally", tally_.save()},
            {"sequence", log_.next_sequence()},
            {"version", aggregator_.version()},
            {"arrivals", arrivals_},
            {"peak_memory", {peak_memory_.model, peak_memory_.versions, peak_memory_.updates}},
            {"outstanding", Json::array()},
            {"waiting", Json::array()},
            {"positions", Json::array()},
            {"answered", Json::array()},
            {"bytes", Json::array()},
            {"privacy", Json::array()}};
  std::map<std::int64_t, SharedState> starts;
  for (const auto& [client, assignment] : outstanding_) {
    json["outstanding"].push_back(to_json(assignment));
    starts.emplace(assignment.version, assignment.start);
  }
  for (const auto& [key, waiting] : waiting_) {
    json["waiting"].push_back(to_json(waiting.report));
    if (waiting.weight) json["waiting"].back()["weight"] = *waiting.weight;
    if (waiting.is_added) continue;  // it is in the aggregator's sum
    const ModelUpdate& update = waiting.report.result.update;
    put(update_name(key.first, key.second), update.delta, update.buffers, state.tensors);
    if (waiting.start) starts.emplace(update.version, waiting.start);
  }
  for (const auto& [client, position] : positions_) json["positions"].push_back({client, position});
  for (const auto& [client, round] : answered_) json["answered"].push_back({client, round});
  for (const auto& [client, report] : privacy_) {
    json["privacy"].push_back({client, report.epsilon, report.steps, report.leaves});
  }
  for (const auto& [client, bytes] : bytes_) {
    json["bytes"].push_back({client, bytes.down, bytes.up});
  }
  const auto reference = downlink_.reference();
  if (!reference.empty()) {
    state.tensors.push_back({kReference, torch::tensor(reference, torch::kFloat)});
  }
  for (const auto& [version, start] : starts) {
    if (version == aggregator_.version()) continue;
    put(start_name(version), start->parameters, start->buffers, state.tensors);
  }
  state.json = json.dump();
  return state;
}

void FederatedServer::load(const FederationState& state) {
  const Json json = Json::parse(state.json);
  TensorMap tensors;
  std::vector<NamedTensor> of_model;
  for (const auto& entry : state.tensors) {
    tensors.emplace(entry.name, entry.tensor);
    if (!entry.name.starts_with(kModel)) continue;
    of_model.push_back({entry.name.substr(kModel.size()), entry.tensor});
  }
  policy_->load(json.at("policy"));
  tally_.load(json.at("tally"));
  log_.set_next_sequence(json.at("sequence"));
  aggregator_.load_state(of_model, json.at("version"));
  downlink_.restore(aggregator_.model(), aggregator_.version(), reference_of(tensors));
  arrivals_ = json.at("arrivals");
  const Json& peak = json.at("peak_memory");
  peak_memory_ = {.model = peak.at(0), .versions = peak.at(1), .updates = peak.at(2)};
  for (const auto& entry : json.at("positions")) positions_[entry.at(0)] = entry.at(1);
  for (const auto& entry : json.at("answered")) answered_[entry.at(0)] = entry.at(1);
  for (const auto& entry : json.value("privacy", Json::array())) {
    privacy_[entry.at(0)] = {.epsilon = entry.at(1), .steps = entry.at(2), .leaves = entry.at(3)};
  }
  for (const auto& entry : json.at("bytes")) bytes_[entry.at(0)] = {entry.at(1), entry.at(2)};

  Starts starts(tensors, *aggregator_.model());
  starts.add(aggregator_.version(), downlink_.start());
  for (const auto& entry : json.at("waiting")) {
    Waiting waiting{.report = to_report(entry)};
    ModelUpdate& update = waiting.report.result.update;
    if (entry.contains("weight")) waiting.weight = entry.at("weight").get<double>();
    waiting.is_added = waiting.weight.has_value();
    const std::string name = update_name(waiting.report.client, waiting.report.round);
    if (!waiting.is_added) {
      update.delta = take(tensors, name + "/p", aggregator_.model()->parameters.size());
      update.buffers = take(tensors, name + "/b", aggregator_.model()->buffers.size());
    }
    if (mixes_models()) waiting.start = starts.at(update.version);
    waiting_.emplace(UpdateKey{update.client, waiting.report.round}, std::move(waiting));
  }
  for (const auto& entry : json.at("outstanding")) {
    Assignment assignment = to_assignment(entry);
    assignment.start = starts.at(assignment.version);
    outstanding_.emplace(assignment.client, std::move(assignment));
  }
}

}  // namespace convoy::trainer
