// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "scheduler/aggregation_weights.h"
#include "scheduler/speed_estimator.h"

namespace convoy::scheduler {

enum class Algorithm : std::uint8_t { kFedCompass, kFedAvg, kFedAsync, kFedBuff };

/// "fedcompass", "fedavg", "fedasync" or "fedbuff".
[[nodiscard]] std::string_view to_text(Algorithm algorithm);

/// What n_i is in the weights of an aggregation.
enum class WeightBy : std::uint8_t {
  kSamples,  ///< the number of samples that a client declared when it joined
  kEqual,    ///< 1
};

/// How one federation is scheduled. Times in seconds. All defaults are written here only.
struct PolicyConfig {
  static constexpr double kNever = std::numeric_limits<double>::infinity();

  Algorithm algorithm = Algorithm::kFedCompass;
  /// Fewest and most local steps of a round. A wider range lets more clients arrive together. All
  /// algorithms but FedCompass always assign the most.
  std::int64_t min_local_steps = 40;
  std::int64_t max_local_steps = 200;
  /// Steps of the first round, whose speed is not known; without it min_local_steps.
  std::optional<std::int64_t> initial_local_steps;
  /// Weight of the newest measurement of a client's speed, 0..1. Larger: quicker to follow,
  /// noisier.
  double speed_momentum = 0.9;
  SpeedModel speed_model = SpeedModel::kRatio;
  /// A group waits until latest_time_factor times its expected duration; at least 1. Larger: fewer
  /// late updates, more waiting.
  double latest_time_factor = 1.2;
  /// An assigned client that has not reported for so long is given up.
  double evict_after = kNever;
  /// The same for its first round; without it evict_after.
  std::optional<double> first_round_timeout;
  /// Late updates that no aggregation has taken for so long are aggregated alone.
  double late_flush_after = kNever;
  /// late_flush_after is twice the longest round that is expected when an update is late.
  bool late_flush_auto = false;

  /// Step of the global model; without it 0.9 for FedCompass and 0.6 for FedAsync.
  std::optional<double> alpha;
  Staleness staleness;
  WeightBy weights = WeightBy::kSamples;

  /// FedAvg: a round ends so long after its start, if `min_updates` have arrived by then, else as
  /// soon as they have.
  double deadline = kNever;
  std::int64_t min_updates = 1;
  /// FedBuff: updates per aggregation, and its eta_g.
  std::int64_t buffer_size = 10;
  double server_rate = 1.0;

  [[nodiscard]] std::int64_t initial_steps() const {
    return initial_local_steps.value_or(min_local_steps);
  }
  [[nodiscard]] double alpha_or_default() const {
    return alpha.value_or(algorithm == Algorithm::kFedAsync ? 0.6 : 0.9);
  }
};

/// @throws ConfigError in one line that names the key and its value.
void check(const PolicyConfig& config);

}  // namespace convoy::scheduler
