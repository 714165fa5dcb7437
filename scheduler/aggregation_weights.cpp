// SPDX-License-Identifier: Apache-2.0
#include "scheduler/aggregation_weights.h"

#include <cmath>
#include <numeric>

#include "base/errors.h"

namespace convoy::scheduler {

double staleness_weight(const Staleness& staleness, std::int64_t versions) {
  require(versions >= 0, "staleness cannot be negative");
  const auto u = static_cast<double>(versions);
  switch (staleness.function) {
    case Staleness::Function::kConstant:
      return 1.0;
    case Staleness::Function::kPolynomial:
      return std::pow(u + 1.0, -staleness.a);
    case Staleness::Function::kHinge:
      return u <= staleness.b ? 1.0 : 1.0 / (staleness.a * (u - staleness.b) + 1.0);
  }
  throw ContractError("unknown staleness function");
}

double fedcompass_weight(double alpha, double staleness, double samples, double all_samples) {
  require(all_samples > 0.0, "fedcompass_weight needs samples");
  return alpha * staleness * samples / all_samples;
}

double fedavg_weight(double samples, double participants_samples) {
  require(participants_samples > 0.0, "fedavg_weight needs samples");
  return samples / participants_samples;
}

double fedasync_weight(double alpha, double staleness) { return alpha * staleness; }

double fedbuff_weight(double server_rate, double staleness, std::int64_t updates) {
  require(updates > 0, "fedbuff_weight needs updates");
  return server_rate * staleness / static_cast<double>(updates);
}

std::vector<double> buffer_weights(std::span<const double> weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  const double scale = sum > 1.0 ? 1.0 / sum : 1.0;
  std::vector<double> scaled(weights.begin(), weights.end());
  for (double& weight : scaled) weight *= scale;
  return scaled;
}

}  // namespace convoy::scheduler
