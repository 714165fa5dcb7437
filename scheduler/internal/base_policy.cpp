// SPDX-License-Identifier: Apache-2.0
#include "scheduler/internal/base_policy.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

#include "base/errors.h"

namespace convoy::scheduler::internal {
namespace {

using State = Client::State;

/// Why the update of a client whose state is known cannot be used; empty if it can.
std::string refusal(const Client& client, const Update& update) {
  if (client.state == State::kLeft) return "the client has left";
  if (update.round != client.round) {
    return fmt::format("it answers round {}, not {}", update.round, client.round);
  }
  if (client.state != State::kTraining && client.state != State::kEvicted) {
    return fmt::format("round {} has been answered", update.round);
  }
  return {};
}

}  // namespace

BasePolicy::BasePolicy(const PolicyConfig& config) : config_(config) { check(config_); }

void BasePolicy::begin(double now) {
  require(std::isfinite(now), "the time of an event must be finite");
  now_ = std::max(now_, now);
  if (!is_shut_down_) do_settle();
}

Actions BasePolicy::join(double now, ClientId client, std::int64_t samples) {
  require(samples > 0, "a client needs samples");
  begin(now);
  if (is_shut_down_) return end();
  Client* known = roster_.find(client);
  if (known == nullptr) {
    known = &roster_.add({.id = client,
                          .samples = samples,
                          .speed = SpeedEstimator(config_.speed_model, config_.speed_momentum)});
    all_samples_ += samples_of(*known);
    do_join(*known);
  } else if (known->state == State::kTraining) {
    actions_.push_back(Assign{.kind = Assign::Kind::kResend,
                              .client = client,
                              .round = known->round,
                              .local_steps = known->assigned,
                              .version = known->version,
                              .group = known->group});
  } else if (!known->takes_part()) {
    admit(*known);
    do_join(*known);
  }
  return end();
}

/// A client that was evicted or had left takes part again.
void BasePolicy::admit(Client& client) {
  client.state = State::kIdle;
  all_samples_ += samples_of(client);
}

Actions BasePolicy::update(double now, const Update& update) {
  begin(now);
  ++counts_.received;
  Client* client = roster_.find(update.client);
  if (is_shut_down_) {
    refuse(update.client, "the federation has ended");
  } else if (client == nullptr) {
    refuse(update.client, "the client has not joined");
  } else if (std::string reason = refusal(*client, update); !reason.empty()) {
    refuse(update.client, std::move(reason));
  } else {
    accept(*client, update);
  }
  return end();
}

/// The update answers the client's newest assignment, which ends with this.
void BasePolicy::accept(Client& client, const Update& update) {
  const bool was_evicted = client.state == State::kEvicted;
  const bool is_first = client.speed.empty();
  stop_deadline(client);
  if (was_evicted) {
    admit(client);
  } else {
    client.state = State::kIdle;
  }
  const bool steps_fit = 1 <= update.local_steps && update.local_steps <= client.assigned;
  if (steps_fit && update.measures_speed) {
    client.speed.add({static_cast<double>(update.local_steps), now_ - client.start});
  }
  if (!steps_fit || !update.finite) {
    refuse(client.id, steps_fit ? "it is not finite"
                                : fmt::format("{} steps done where {} were assigned",
                                              update.local_steps, client.assigned));
    do_fail(client);
    return;
  }
  ++pending_;
  const auto arrival = was_evicted ? Arrival::kEvicted
                       : is_first  ? Arrival::kFirst
                                   : Arrival::kNext;
  do_update(client, arrival, {client.id, client.round, client.version, update.local_steps});
}

void BasePolicy::refuse(ClientId client, std::string reason) {
  ++counts_.refused;
  actions_.push_back(Refuse{client, std::move(reason)});
}

Actions BasePolicy::evict(double now, ClientId client) {
  begin(now);
  Client* known = roster_.find(client);
  if (!is_shut_down_ && known != nullptr && known->state == State::kTraining) {
    depart(*known, State::kEvicted);
  }
  return end();
}

Actions BasePolicy::leave(double now, ClientId client) {
  begin(now);
  Client* known = roster_.find(client);
  if (!is_shut_down_ && known != nullptr && known->state != State::kLeft) {
    depart(*known, State::kLeft);
  }
  return end();
}

void BasePolicy::depart(Client& client, State state) {
  const bool was_training = client.state == State::kTraining;
  if (client.takes_part()) all_samples_ -= samples_of(client);
  stop_deadline(client);
  client.state = state;
  if (state == State::kEvicted) {
    ++counts_.evicted;
    actions_.push_back(Evict{client.id});
  }
  if (was_training) do_depart(client);
}

Actions BasePolicy::on_time(double now) {
  begin(now);
  if (is_shut_down_ || do_timer()) return end();
  if (!deadlines_.empty() && deadlines_.begin()->first <= now_) {
    depart(roster_.at(deadlines_.begin()->second), State::kEvicted);
  }
  return end();
}

std::optional<double> BasePolicy::weight_on_arrival(ClientId client) const {
  const Client* known = roster_.find(client);
  return known == nullptr ? std::nullopt : do_weight_on_arrival(*known);
}

std::optional<double> BasePolicy::next_timer() const {
  if (is_shut_down_) return std::nullopt;
  std::optional<double> next = do_next_timer();
  if (!deadlines_.empty()) {
    const double deadline = deadlines_.begin()->first;
    next = next ? std::min(*next, deadline) : deadline;
  }
  return next;
}

Actions BasePolicy::shutdown(double now) {
  begin(now);
  if (is_shut_down_) return end();
  is_shut_down_ = true;
  Flush flush;
  std::vector<Pending> members;
  do_flush(flush, members);
  flush.members = contributions(members, flush.late.size());
  if (!members.empty()) ++version_;
  flush.version = version_;
  actions_.push_back(std::move(flush));
  return end();
}

void BasePolicy::give(Client& client, std::int64_t local_steps, Assign action) {
  const bool is_first = client.speed.empty();
  client.state = State::kTraining;
  ++client.round;
  client.version = version_;
  client.assigned = local_steps;
  client.start = now_;
  client.pace = is_first ? RoundTime{} : client.speed.estimate();
  if (!is_first) action.predicted_arrival = now_ + client.expected_seconds();
  const double patience =
      is_first ? config_.first_round_timeout.value_or(config_.evict_after) : config_.evict_after;
  client.deadline = now_ + patience;
  if (std::isfinite(client.deadline)) deadlines_.emplace(client.deadline, client.id);
  action.kind = is_first ? Assign::Kind::kFirst : Assign::Kind::kNext;
  action.client = client.id;
  action.round = client.round;
  action.local_steps = local_steps;
  action.version = version_;
  actions_.push_back(action);
}

void BasePolicy::stop_deadline(const Client& client) {
  if (client.state == State::kTraining) deadlines_.erase({client.deadline, client.id});
}

void BasePolicy::aggregate(Trigger trigger, std::optional<std::int64_t> group,
                           std::span<const Pending> late, std::span<const Pending> arrived) {
  std::vector<Pending> members(late.begin(), late.end());
  members.insert(members.end(), arrived.begin(), arrived.end());
  Aggregate action{
      .trigger = trigger, .group = group, .members = contributions(members, late.size())};
  action.version = ++version_;
  actions_.push_back(std::move(action));
}

/// They count as aggregated from now on.
std::vector<Contribution> BasePolicy::contributions(std::span<const Pending> members,
                                                    std::size_t late) {
  std::vector<Contribution> sum;
  sum.reserve(members.size());
  std::int64_t samples = 0;
  for (const Pending& update : members) samples += samples_of(roster_.at(update.client));
  for (const Pending& update : members) {
    const std::int64_t staleness = version_ - update.version;
    sum.push_back({.client = update.client,
                   .round = update.round,
                   .version = update.version,
                   .staleness = staleness,
                   .local_steps = update.local_steps,
                   .late = sum.size() < late,
                   .coefficient = do_weight(update, staleness, samples)});
  }
  counts_.aggregated += static_cast<std::int64_t>(members.size());
  pending_ -= static_cast<std::int64_t>(members.size());
  return sum;
}

void BasePolicy::report_late(const Client& client) {
  ++counts_.late;
  actions_.push_back(Late{client.id});
}

void BasePolicy::reject(const Pending& update, std::string reason) {
  --pending_;
  refuse(update.client, std::move(reason));
}

std::int64_t BasePolicy::samples_of(const Client& client) const {
  return config_.weights == WeightBy::kEqual ? 1 : client.samples;
}

}  // namespace convoy::scheduler::internal
