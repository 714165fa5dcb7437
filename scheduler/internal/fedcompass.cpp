// SPDX-License-Identifier: Apache-2.0
#include "scheduler/internal/fedcompass.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "scheduler/internal/state_json.h"

namespace convoy::scheduler::internal {

using State = Client::State;

FedCompass::FedCompass(const PolicyConfig& config)
    : BasePolicy(config), groups_(config.min_local_steps, config.max_local_steps) {}

void FedCompass::do_join(Client& client) {
  client.group.reset();
  assign(client);
}

void FedCompass::do_update(Client& client, Arrival arrival, const Pending& update) {
  if (arrival == Arrival::kFirst) {
    aggregate(Trigger::kFirst, std::nullopt, {}, std::span(&update, 1));
    assign(client);
  } else if (arrival == Arrival::kNext && now() <= groups_.at(client.group.value()).latest) {
    arrive_on_time(client, update);
  } else {
    arrive_late(client, update);
  }
}

void FedCompass::arrive_on_time(Client& client, const Pending& update) {
  Group& group = groups_.at(client.group.value());
  client.state = State::kWaiting;
  groups_.arrive(group, update, client.pace, client.speed.estimate());
  if (group.outstanding == 0) aggregate_group(group.id, Trigger::kComplete);
}

/// Nobody waits for the others of its group here: what had arrived was aggregated when `latest`
/// came.
void FedCompass::arrive_late(Client& client, const Pending& update) {
  if (client.group) {
    groups_.remove_outstanding(groups_.at(*client.group), client.pace);
    client.group.reset();
  }
  const bool is_oldest = late_.empty();
  late_.push_back(update);
  report_late(client);
  assign(client);
  if (is_oldest) late_deadline_ = now() + late_patience();
}

/// For how long an update that is late now may wait for an aggregation.
double FedCompass::late_patience() const {
  if (!config().late_flush_auto) return config().late_flush_after;
  double longest = 0.0;
  for (const Client& client : roster().all()) {
    if (client.state == State::kTraining) longest = std::max(longest, client.expected_seconds());
  }
  return longest > 0.0 ? 2.0 * longest : PolicyConfig::kNever;
}

void FedCompass::do_fail(Client& client) {
  leave_group(client, Trigger::kComplete);
  assign(client);
}

void FedCompass::do_depart(Client& client) { leave_group(client, Trigger::kEvict); }

/// The client's update is not awaited in its group any more.
void FedCompass::leave_group(Client& client, Trigger trigger) {
  if (!client.group) return;
  const std::int64_t id = *std::exchange(client.group, std::nullopt);
  Group& group = groups_.at(id);
  if (groups_.remove_outstanding(group, client.pace) && group.outstanding == 0) {
    aggregate_group(id, trigger);
  }
}

/// By the duration of a longest round; in the ratio model that is by seconds per step.
std::vector<Client*> FedCompass::fastest_first(std::vector<Client*> clients) const {
  const auto most = static_cast<double>(config().max_local_steps);
  const auto key = [most](const Client* client) {
    const RoundTime pace = client->speed.estimate();
    return std::pair(pace.of(most), pace.per_step);
  };
  std::stable_sort(clients.begin(), clients.end(),
                   [&](const Client* a, const Client* b) { return key(a) < key(b); });
  return clients;
}

void FedCompass::aggregate_group(std::int64_t id, Trigger trigger) {
  Group& group = groups_.at(id);
  const std::vector<Pending> arrived = groups_.close(group);
  aggregate(trigger, id, take_late(), arrived);
  std::vector<Client*> waiting;
  for (const Pending& update : arrived) {
    Client& client = roster().at(update.client);
    // One that has left, or has left and joined again, waits for nothing.
    if (client.state == State::kWaiting && client.round == update.round) waiting.push_back(&client);
  }
  for (Client* client : fastest_first(std::move(waiting))) assign(*client);
  groups_.delete_if_empty(group);
}

std::vector<Pending> FedCompass::take_late() {
  late_deadline_ = PolicyConfig::kNever;
  return std::exchange(late_, {});
}

void FedCompass::do_settle() {
  while (const auto due = groups_.first_due()) {
    if (due->latest >= now()) return;
    aggregate_group(due->group, Trigger::kTimer);
  }
}

bool FedCompass::do_timer() {
  if (const auto due = groups_.first_due(); due && due->latest <= now()) {
    aggregate_group(due->group, Trigger::kTimer);
    return true;
  }
  if (late_.empty() || late_deadline_ > now()) return false;
  aggregate(Trigger::kLate, std::nullopt, take_late(), {});
  return true;
}

std::optional<double> FedCompass::do_next_timer() const {
  const auto due = groups_.first_due();
  const double next = std::min(due ? due->latest : PolicyConfig::kNever, late_deadline_);
  return std::isfinite(next) ? std::optional(next) : std::nullopt;
}

void FedCompass::assign(Client& client) {
  if (client.speed.empty()) {
    give(client, config().initial_steps());
    return;
  }
  const RoundTime pace = client.speed.estimate();
  if (const auto joining = groups_.best_to_join(now(), pace)) {
    join_group(client, groups_.at(joining->group), joining->steps);
    return;
  }
  const double steps = groups_.steps_to_create(now(), pace);
  // In this order of operations; pace.fixed is 0 in the ratio model and then changes nothing.
  const double seconds = pace.of(steps);
  const double latest = now() + seconds * config().latest_time_factor;
  join_group(client, groups_.create(now() + seconds, latest), steps);
}

void FedCompass::join_group(Client& client, Group& group, double steps) {
  client.group = group.id;
  give(client, static_cast<std::int64_t>(steps),
       {.group = group.id, .expected_arrival = group.expected, .latest_arrival = group.latest});
  groups_.add_outstanding(group, client.pace);
}

void FedCompass::do_flush(Flush& flush, std::vector<Pending>& members) {
  members = take_late();
  for (const Pending& update : members) flush.late.push_back(update.client);
  for (const auto& [id, group] : groups_.all()) {
    members.insert(members.end(), group.arrived.begin(), group.arrived.end());
    for (const Pending& update : group.arrived) flush.waiting.push_back(update.client);
  }
  groups_.restore(groups_.next_id(), {});
}

void FedCompass::do_save(Json& json) const {
  json["late"] = to_json(late_);
  json["late_deadline"] = time_to_json(late_deadline_);
  json["next_group"] = groups_.next_id();
  json["groups"] = Json::array();
  for (const auto& [id, group] : groups_.all()) {
    json["groups"].push_back({{"id", id},
                              {"expected", time_to_json(group.expected)},
                              {"latest", time_to_json(group.latest)},
                              {"outstanding", group.outstanding},
                              {"arrived", to_json(group.arrived)},
                              {"full_rounds", group.full_rounds}});
  }
}

void FedCompass::do_load(const Json& json) {
  late_ = pending_from_json(json.at("late"));
  late_deadline_ = time_from_json(json.at("late_deadline"));
  std::vector<Group> groups;
  for (const Json& group : json.at("groups")) {
    groups.push_back({.id = group.at("id"),
                      .expected = time_from_json(group.at("expected")),
                      .latest = time_from_json(group.at("latest")),
                      .outstanding = group.at("outstanding"),
                      .arrived = pending_from_json(group.at("arrived")),
                      .full_rounds = group.at("full_rounds")});
  }
  groups_.restore(json.at("next_group"), std::move(groups));
}

double FedCompass::do_weight(const Pending& update, std::int64_t staleness,
                             std::int64_t /*sum_samples*/) {
  const std::int64_t own = samples_of(roster().at(update.client));
  // A client that has left counts for no more than the whole federation.
  const std::int64_t all = std::max(all_samples(), own);
  return fedcompass_weight(config().alpha_or_default(),
                           staleness_weight(config().staleness, staleness),
                           static_cast<double>(own), static_cast<double>(all));
}

}  // namespace convoy::scheduler::internal
