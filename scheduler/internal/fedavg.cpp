// SPDX-License-Identifier: Apache-2.0
#include "scheduler/internal/fedavg.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "scheduler/internal/state_json.h"

namespace convoy::scheduler::internal {

using State = Client::State;

/// Whoever joins before the round's first report takes part in it.
void FedAvg::do_join(Client& client) {
  if (arrived_.empty()) {
    participate(client);
  } else {
    wait_for_next_round(client);
  }
}

void FedAvg::do_update(Client& client, Arrival /*arrival*/, const Pending& update) {
  awaited_.erase(client.id);
  wait_for_next_round(client);
  if (update.version == version()) {
    arrived_.push_back(update);
  } else {
    reject(update, "its round is over");
  }
  end_round_if_over(Trigger::kComplete);
}

void FedAvg::do_fail(Client& client) {
  awaited_.erase(client.id);
  wait_for_next_round(client);
  end_round_if_over(Trigger::kComplete);
}

void FedAvg::do_depart(Client& client) {
  if (awaited_.erase(client.id) > 0) end_round_if_over(Trigger::kEvict);
}

void FedAvg::wait_for_next_round(Client& client) {
  client.state = State::kWaiting;
  waiting_.push_back(client.id);
}

bool FedAvg::has_enough() const {
  return static_cast<std::int64_t>(arrived_.size()) >= config().min_updates;
}

void FedAvg::end_round_if_over(Trigger trigger) {
  if (awaited_.empty()) {
    end_round(trigger);
  } else if (now() > deadline_ && has_enough()) {
    end_round(Trigger::kTimer);
  }
}

void FedAvg::end_round(Trigger trigger) {
  if (!arrived_.empty()) aggregate(trigger, std::nullopt, {}, std::exchange(arrived_, {}));
  begin_round();
}

void FedAvg::begin_round() {
  awaited_.clear();
  deadline_ = PolicyConfig::kNever;
  for (const ClientId id : std::exchange(waiting_, {})) {
    Client& client = roster().at(id);
    // Not one that has left; and one that has joined again stands there twice.
    if (client.state == State::kWaiting) participate(client);
  }
}

void FedAvg::participate(Client& client) {
  if (awaited_.empty()) deadline_ = now() + config().deadline;
  awaited_.insert(client.id);
  Assign action;
  if (std::isfinite(deadline_)) action.latest_arrival = deadline_;
  give(client, config().max_local_steps, action);
}

void FedAvg::do_settle() {
  if (deadline_ < now() && has_enough()) end_round(Trigger::kTimer);
}

bool FedAvg::do_timer() {
  if (deadline_ > now() || !has_enough()) return false;
  end_round(Trigger::kTimer);
  return true;
}

std::optional<double> FedAvg::do_next_timer() const {
  return std::isfinite(deadline_) && has_enough() ? std::optional(deadline_) : std::nullopt;
}

void FedAvg::do_flush(Flush& flush, std::vector<Pending>& members) {
  members = std::exchange(arrived_, {});
  for (const Pending& update : members) flush.waiting.push_back(update.client);
  for (const ClientId id : awaited_) absent_samples_ += samples_of(roster().at(id));
}

double FedAvg::do_weight(const Pending& update, std::int64_t /*staleness*/,
                         std::int64_t sum_samples) {
  return fedavg_weight(static_cast<double>(samples_of(roster().at(update.client))),
                       static_cast<double>(sum_samples + absent_samples_));
}

/// The sum of the participants' n_i, which all are divided by, is not known yet.
std::optional<double> FedAvg::do_weight_on_arrival(const Client& client) const {
  return static_cast<double>(samples_of(client));
}

void FedAvg::do_save(Json& json) const {
  json["awaited"] = awaited_;
  json["arrived"] = to_json(arrived_);
  json["waiting"] = waiting_;
  json["deadline"] = time_to_json(deadline_);
}

void FedAvg::do_load(const Json& json) {
  awaited_ = json.at("awaited").get<std::set<ClientId>>();
  arrived_ = pending_from_json(json.at("arrived"));
  waiting_ = json.at("waiting").get<std::vector<ClientId>>();
  deadline_ = time_from_json(json.at("deadline"));
}

}  // namespace convoy::scheduler::internal
