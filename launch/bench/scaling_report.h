// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "launch/bench/scaling.h"
#include "launch/bench/scaling_forecast.h"

namespace convoy::launch {

/// All that `convoy bench scaling` has found out.
struct ScalingReport {
  std::string transport;
  std::vector<ScalingRun> runs;
  ForecastOptions options;
  ScalingForecast forecast;
};

[[nodiscard]] std::string to_json(const ScalingBench& bench, const ScalingReport& report);
[[nodiscard]] std::string to_text(const ScalingBench& bench, const ScalingReport& report);

}  // namespace convoy::launch
