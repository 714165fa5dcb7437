// SPDX-License-Identifier: Apache-2.0
#include "launch/bench/step_measures.h"

#include <cstddef>

namespace convoy::launch {

nlohmann::ordered_json measures_of(const StepReport& report) {
  return {{"steps", report.steps},
          {"statistic", report.is_mean ? "mean" : "median"},
          {"efficiency", report.efficiency},
          {"efficiency_spread", report.efficiency_spread},
          {"exposed", report.together.parts.exposed},
          {"encode", seconds_of(report, Phase::kEncode)},
          {"wire", seconds_of(report, Phase::kWire)},
          {"decode", seconds_of(report, Phase::kDecode)},
          {"bytes", report.bytes},
          {"dense_bytes", report.dense_bytes}};
}

double seconds_of(const StepReport& report, Phase phase) {
  return report.phases[static_cast<std::size_t>(phase)];
}

}  // namespace convoy::launch
