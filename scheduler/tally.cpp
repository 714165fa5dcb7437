// SPDX-License-Identifier: Apache-2.0
#include "scheduler/tally.h"

#include <algorithm>
#include <cmath>
#include <variant>

namespace convoy::scheduler {

Tally::Entry& Tally::entry(ClientId client) {
  const auto [found, is_new] = index_.emplace(client, entries_.size());
  if (is_new) entries_.emplace_back().sum.client = client;
  return entries_[found->second];
}

/// Books the time since the entry's last change.
void Tally::settle(Entry& entry, double now) {
  const double elapsed = std::max(now - entry.since, 0.0);
  entry.since = now;
  if (entry.mode == Mode::kIdle) entry.sum.idle_seconds += elapsed;
  if (entry.mode == Mode::kBusy) {
    const double absent = std::min(entry.absent, elapsed);
    entry.sum.away_seconds += absent;
    entry.sum.busy_seconds += elapsed - absent;
  }
}

void Tally::on_input(const Input& input) {
  if (input.kind == Input::Kind::kArrive) return on_arrival(input);
  if (input.kind != Input::Kind::kJoin && input.kind != Input::Kind::kLeave) return;
  Entry& client = entry(input.update.client);
  const bool leaves = input.kind == Input::Kind::kLeave;
  if (!leaves && client.mode != Mode::kGone) return;
  settle(client, input.time);
  client.mode = leaves ? Mode::kGone : Mode::kIdle;
}

void Tally::on_arrival(const Input& input) {
  Entry& client = entry(input.update.client);
  if (client.mode != Mode::kBusy) return;  // a duplicate: what it does has been counted
  const double duration = input.time - client.since;
  settle(client, input.time);
  client.mode = Mode::kIdle;
  client.sum.updates += 1;
  client.sum.local_steps += input.update.local_steps;
  sum_.local_steps += input.update.local_steps;
  if (!client.predicted || duration <= 0.0) return;
  const double error = *client.predicted - input.time;
  sum_.predictions += 1;
  sum_.mean_error_seconds += std::abs(error);
  sum_.mean_error_share += std::abs(error) / duration;
  sum_.mean_bias_seconds += error;
}

void Tally::on_actions(double time, const Actions& actions) {
  for (const Action& action : actions) {
    if (const auto* aggregate = std::get_if<Aggregate>(&action)) on_aggregate(*aggregate);
    const auto* assign = std::get_if<Assign>(&action);
    if (assign == nullptr || assign->kind == Assign::Kind::kResend) continue;
    Entry& client = entry(assign->client);
    settle(client, time);
    client.mode = Mode::kBusy;
    client.absent = 0.0;
    client.predicted = assign->predicted_arrival;
  }
}

void Tally::on_aggregate(const Aggregate& action) {
  ++sum_.aggregations;
  aggregated_ += static_cast<std::int64_t>(action.members.size());
  for (const Contribution& update : action.members) {
    staleness_ += static_cast<double>(update.staleness);
    sum_.max_staleness = std::max(sum_.max_staleness, update.staleness);
  }
}

void Tally::on_absence(ClientId client, double seconds) { entry(client).absent = seconds; }

Summary Tally::summary(const Policy& policy, double now) const {
  Summary sum = sum_;
  sum.seconds = now;
  sum.versions = policy.version();
  sum.counts = policy.counts();
  sum.pending = policy.pending();
  if (aggregated_ > 0) sum.mean_staleness = staleness_ / static_cast<double>(aggregated_);
  if (sum.predictions > 0) {
    const auto count = static_cast<double>(sum.predictions);
    sum.mean_error_seconds /= count;
    sum.mean_error_share /= count;
    sum.mean_bias_seconds /= count;
  }
  for (Entry client : entries_) {
    settle(client, now);
    sum.clients.push_back(client.sum);
  }
  return sum;
}

}  // namespace convoy::scheduler
