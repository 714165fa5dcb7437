// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "scheduler/event_log.h"
#include "scheduler/summary.h"

namespace convoy::scheduler {

/// Watches a run and sums it up. O(1) for each event.
class Tally {
 public:
  /// In the order of the run: each input, then the actions that it had.
  void on_input(const Input& input);
  void on_actions(double time, const Actions& actions);

  /// The round that was assigned last to `client` contains `seconds` of absence, or never ends
  /// (infinite).
  void on_absence(ClientId client, double seconds);

  /// All that has been watched so far, as one JSON text, for checkpoints.
  [[nodiscard]] std::string save() const;
  /// Replaces what has been watched. @param state  save()'s.
  void load(const std::string& state);

  /// @param now  when the run ends; the policy has not been shut down.
  [[nodiscard]] Summary summary(const Policy& policy, double now) const;

 private:
  enum class Mode : std::uint8_t { kGone, kIdle, kBusy };
  struct Entry {
    ClientSummary sum;
    Mode mode = Mode::kGone;
    double since = 0.0;  // of the mode
    double absent = 0.0;
    std::optional<double> predicted;
  };

  Entry& entry(ClientId client);
  static void settle(Entry& entry, double now);
  void on_arrival(const Input& input);
  void on_aggregate(const Aggregate& action);

  std::vector<Entry> entries_;
  std::unordered_map<ClientId, std::size_t> index_;
  Summary sum_;
  double staleness_ = 0.0;
  std::int64_t aggregated_ = 0;
};

}  // namespace convoy::scheduler
