// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/federated_server.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <variant>

#include "base/errors.h"
#include "base/log.h"

namespace convoy::trainer {

namespace {

constexpr double kRounding = 1e-12;  // of a quotient of two doubles, generously

}  // namespace

using scheduler::Input;

FederatedServer::FederatedServer(const FederationConfig& config, const Model& initial,
                                 scheduler::EventLog::Sink sink, const compress::UpdateCodec* codec,
                                 std::uint64_t seed)
    : config_(config),
      policy_(scheduler::make_policy(config.policy)),
      log_(*policy_, std::move(sink)),
      aggregator_(initial, config.server_optimizer),
      downlink_(codec, aggregator_.model(), static_cast<std::size_t>(config.downlink_versions),
                seed) {
  check_config(config_);
}

void FederatedServer::set_callbacks(Dispatch dispatch, OnNewModel on_new_model,
                                    OnRefused on_refused) {
  on_refused_ = std::move(on_refused);
  dispatch_ = std::move(dispatch);
  on_new_model_ = std::move(on_new_model);
}

bool FederatedServer::mixes_models() const {
  return config_.policy.algorithm == scheduler::Algorithm::kFedAsync;
}

void FederatedServer::join(double now, std::int64_t client, std::int64_t samples) {
  handle(
      {.kind = Input::Kind::kJoin, .time = now, .update = {.client = client}, .samples = samples});
}

void FederatedServer::report(double now, double duration, ClientReport report) {
  const Input input{.kind = Input::Kind::kArrive,
                    .time = now,
                    .update = {.client = report.client,
                               .round = report.round,
                               .local_steps = report.result.steps,
                               .finite = is_usable(report),
                               .measures_speed = report.measures_speed},
                    .duration = duration};
  const UpdateKey key{report.client, report.round};
  Waiting waiting;
  waiting.weight = policy_->weight_on_arrival(report.client);
  const auto outstanding = outstanding_.find(report.client);
  if (outstanding != outstanding_.end() && outstanding->second.round == report.round) {
    positions_[report.client] = report.position;
    report.result.update.version = outstanding->second.version;
    if (mixes_models()) waiting.start = outstanding->second.start;
    outstanding_.erase(outstanding);
  }
  const auto answered = answered_.try_emplace(report.client, -1).first;
  is_first_answer_ = report.round > answered->second;
  answered->second = std::max(answered->second, report.round);
  report.result.update.arrival = arrivals_++;
  bytes_[report.client].up += report.wire_bytes;
  if (const auto& privacy = report.result.privacy) {
    privacy_[report.client] = *privacy;
    if (privacy->leaves) leaving_ = report.client;
  }
  waiting.report = std::move(report);
  // A duplicate of one that waits is refused by the policy and must not take its place.
  if (waiting_.emplace(key, std::move(waiting)).second) arriving_ = key;
  look_at_memory();
  handle(input);
  add_what_has_just_arrived();
  arriving_.reset();
  look_at_memory();
  if (leaving_) let_go(now, *leaving_);
}

/// What the policy has just given it to do is never sent.
void FederatedServer::let_go(double now, std::int64_t client) {
  logger("trainer")->info("{} leaves: privacy budget (epsilon {:.6f} after {} steps)",
                          name_of_(client), privacy_[client].epsilon, privacy_[client].steps);
  handle({.kind = Input::Kind::kLeave, .time = now, .update = {.client = client}});
  leaving_.reset();
}

bool FederatedServer::is_usable(const ClientReport& report) const {
  if (!report.result.finite) return false;
  const ModelUpdate& update = report.result.update;
  if (fits(update, *aggregator_.model())) return is_finite(update);
  logger("trainer")->warn("an update of {} has not the shapes of the model",
                          name_of_(report.client));
  return false;
}

void FederatedServer::look_at_memory() {
  const ServerMemory now = memory();
  if (now.total() > peak_memory_.total()) peak_memory_ = now;
}

/// Where the policy has taken it and waits for more: the sum keeps it, and nobody else has to.
void FederatedServer::add_what_has_just_arrived() {
  const auto found = arriving_ ? waiting_.find(*arriving_) : waiting_.end();
  if (found == waiting_.end() || !found->second.weight) return;
  Waiting& waiting = found->second;
  add(waiting, *waiting.weight);
  waiting.is_added = true;
  waiting.report.result.update.delta.clear();
  waiting.report.result.update.buffers.clear();
}

void FederatedServer::add(Waiting& waiting, double coefficient) {
  const ModelUpdate& update = waiting.report.result.update;
  if (waiting.start) {
    aggregator_.mix(update, *waiting.start, coefficient);
  } else {
    aggregator_.add(update, coefficient);
  }
}

void FederatedServer::on_time(double now) { handle({.kind = Input::Kind::kTimer, .time = now}); }

void FederatedServer::evict(double now, std::int64_t client) {
  handle({.kind = Input::Kind::kEvict, .time = now, .update = {.client = client}});
}

void FederatedServer::leave(double now, std::int64_t client) {
  handle({.kind = Input::Kind::kLeave, .time = now, .update = {.client = client}});
  outstanding_.erase(client);
}

void FederatedServer::shut_down(double now) {
  schedule_ = tally_.summary(*policy_, now);
  handle({.kind = Input::Kind::kShutdown, .time = now});
}

void FederatedServer::handle(const Input& input) {
  const scheduler::Actions actions = log_.handle(input);
  tally_.on_input(input);
  tally_.on_actions(policy_->now(), actions);
  for (const auto& action : actions) {
    std::visit([this](const auto& one) { act(one); }, action);
  }
}

void FederatedServer::act(const scheduler::Aggregate& action) {
  aggregate(action.members, action.version);
}

void FederatedServer::act(const scheduler::Flush& action) {
  if (!action.members.empty()) aggregate(action.members, action.version);
}

void FederatedServer::act(const scheduler::Refuse& action) {
  logger("trainer")->warn("refused an update of {}: {}", name_of_(action.client), action.reason);
  if (arriving_ && arriving_->first == action.client) waiting_.erase(*arriving_);
  // What a duplicate holds is in the first of its kind.
  if (on_refused_ && is_first_answer_) on_refused_(action.client, action.reason);
}

void FederatedServer::act(const scheduler::Evict& action) {
  logger("trainer")->warn("nobody waits for {} any more, until its update comes",
                          name_of_(action.client));
}

void FederatedServer::act(const scheduler::Assign& action) {
  if (action.client == leaving_) return;
  Assignment assignment{.client = action.client,
                        .round = action.round,
                        .steps = action.local_steps,
                        .version = action.version,
                        .start = downlink_.start(),
                        .message = downlink_.message(action.client),
                        .position = positions_[action.client],
                        .updates = policy_->counts().received,
                        .group = action.group,
                        .latest = action.latest_arrival};
  if (action.predicted_arrival) {
    assignment.seconds_per_step =
        (*action.predicted_arrival - policy_->now()) / static_cast<double>(action.local_steps);
  }
  require(
      action.version == aggregator_.version() || action.kind == scheduler::Assign::Kind::kResend,
      "the policy and the model count different versions");
  const auto known = outstanding_.find(action.client);
  if (action.kind == scheduler::Assign::Kind::kResend && known != outstanding_.end()) {
    assignment = known->second;  // without a message: the client gets all of it
  }
  const SharedState& start = assignment.start;
  bytes_[action.client].down +=
      bytes_of(start->buffers) +
      (assignment.message ? assignment.message->size() : bytes_of(start->parameters));
  outstanding_.insert_or_assign(action.client, assignment);
  outstanding_[action.client].message = nullptr;  // once it is on its way nobody needs it
  if (dispatch_) dispatch_(std::move(assignment));
}

void FederatedServer::aggregate(const std::vector<scheduler::Contribution>& members,
                                std::int64_t version) {
  NewModel made{.time = policy_->now(), .version = version};
  double scale = 1.0;
  for (const auto& member : members) {
    const auto found = waiting_.find({member.client, member.round});
    require(found != waiting_.end(), "the policy aggregates an update that has not arrived");
    Waiting& waiting = found->second;
    const double weight = waiting.weight.value_or(member.coefficient);
    if (made.members.empty()) scale = member.coefficient / weight;
    require(std::abs(weight * scale - member.coefficient) <= kRounding * member.coefficient,
            "the policy's coefficients are not in proportion to its weights on arrival");
    if (!waiting.is_added) add(waiting, weight);
    const ClientReport& report = waiting.report;
    made.members.push_back({.contribution = member,
                            .samples = report.result.samples,
                            .loss = report.result.loss,
                            .validation = report.result.validation});
    waiting_.erase(found);
  }
  aggregator_.finish(scale);
  downlink_.advance(aggregator_.model());
  require(aggregator_.version() == version, "the policy and the model count different versions");
  if (on_new_model_) on_new_model_(made);
}

ServerMemory FederatedServer::memory() const {
  ServerMemory memory{.model = aggregator_.memory_bytes() + downlink_.memory_bytes()};
  // Those count as the model.
  std::set<const ModelState*> seen{aggregator_.model().get(), downlink_.start().get()};
  const auto add_version = [&](const SharedState& state) {
    if (state && seen.insert(state.get()).second) memory.versions += bytes_of(*state);
  };
  for (const auto& [client, assignment] : outstanding_) add_version(assignment.start);
  for (const auto& [key, waiting] : waiting_) {
    memory.updates += bytes_of(waiting.report.result.update);
    add_version(waiting.start);
  }
  return memory;
}

}  // namespace convoy::trainer
