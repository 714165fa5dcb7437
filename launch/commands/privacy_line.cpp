// SPDX-License-Identifier: Apache-2.0
#include "launch/commands/privacy_line.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdint>

namespace convoy::launch {

std::string privacy_line(const trainer::FederatedSummary& summary) {
  if (!summary.privacy) return "";
  double epsilon = 0.0;
  std::int64_t left = 0;
  for (const auto& [client, report] : summary.privacy->sites) {
    epsilon = std::max(epsilon, report.epsilon);
    left += report.leaves ? 1 : 0;
  }
  const auto& config = summary.privacy->config;
  return fmt::format("  privacy     epsilon {:.6f} of {} at delta {} per {}{}{}\n", epsilon,
                     config.epsilon, config.delta, config.is_per_sample() ? "record" : "site",
                     left > 0 ? fmt::format(", {} left: privacy budget", left) : "",
                     config.insecure_seed != 0 ? ", INSECURE: noise from a seed" : "");
}

}  // namespace convoy::launch
