// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "scheduler/policy.h"

namespace convoy::scheduler {

/// How one client spent a run.
struct ClientSummary {
  ClientId client = 0;
  std::int64_t updates = 0;
  std::int64_t local_steps = 0;  ///< of the updates that arrived
  double busy_seconds = 0.0;     ///< receiving, training, sending; an unfinished round counts too
  double idle_seconds = 0.0;     ///< waiting for an answer
  double away_seconds = 0.0;     ///< absent or vanished

  /// Of the time in which it was there.
  [[nodiscard]] double idle_share() const;
};

/// What a run came to.
struct Summary {
  double seconds = 0.0;  ///< when it ended
  std::int64_t versions = 0;
  std::int64_t aggregations = 0;
  Counts counts;
  std::int64_t pending = 0;
  std::int64_t local_steps = 0;
  double mean_staleness = 0.0;  ///< over all aggregated updates
  std::int64_t max_staleness = 0;
  /// Of arrivals whose time was predicted: mean of |predicted - actual|, in seconds and as a share
  /// of the round's duration, and of predicted - actual.
  std::int64_t predictions = 0;
  double mean_error_seconds = 0.0;
  double mean_error_share = 0.0;
  double mean_bias_seconds = 0.0;
  std::vector<ClientSummary> clients;  ///< in the order of the scenario

  [[nodiscard]] double idle_share() const;
  [[nodiscard]] double local_steps_per_second() const;
  [[nodiscard]] double updates_per_second() const;
};

/// One JSON object, {"kind":"summary",...}, in one line without its end.
[[nodiscard]] std::string to_json(const Summary& summary);
/// For people: several lines.
[[nodiscard]] std::string to_text(const Summary& summary);

}  // namespace convoy::scheduler
