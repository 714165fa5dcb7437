// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "launch/bench/cost_model.h"
#include "launch/bench/scaling.h"

namespace convoy::launch {

struct ForecastOptions {
  std::vector<int> held_out;        ///< numbers of ranks whose runs the model does not see
  int most_ranks = 1024;            ///< up to which it looks ahead
  std::int64_t two_hop_ranks = 16;  ///< as compression.two_hop_ranks
};

/// What the model says of a run.
struct ScalingCheck {
  CostEstimate estimate;
  double error = 0.0;  ///< of the step's time: (estimated - measured) / measured
  bool held_out = false;
};

struct ForecastPoint {
  Growth growth = Growth::kWeak;
  std::string family;
  int ranks = 1;
  CostEstimate estimate;
};

struct ScalingForecast {
  CostModel model;
  std::vector<ScalingCheck> checks;  ///< of each run
  std::vector<ForecastPoint> points;
  /// The largest error without its sign; 0 where there are no such runs.
  [[nodiscard]] double largest_error(bool held_out) const;
};

/// What is held out where nobody says otherwise: every other number of several ranks but the first
/// and the last, so that the model is asked for something between what it has seen.
[[nodiscard]] std::vector<int> held_out_ranks(const std::vector<int>& ranks);

/// Bytes that a rank sends for each byte of payload. @param family  of compression.
[[nodiscard]] double traffic(const std::string& family, int ranks, std::int64_t two_hop_ranks);

/// Fits a cost model to the runs that are not held out, checks it on all, and looks ahead to twice,
/// four times, ... the most ranks measured, each with a core of its own. Pure.
/// @throws ContractError where some family has no run of several ranks that is not held out.
[[nodiscard]] ScalingForecast forecast(const std::vector<ScalingRun>& runs,
                                       const ForecastOptions& options);

/// What the look ahead takes for granted, a sentence each.
[[nodiscard]] std::vector<std::string> assumptions();

}  // namespace convoy::launch
