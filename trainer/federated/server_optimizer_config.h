// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace convoy::trainer {

/// federation.server_optimizer of the job file: what the server makes of the step D that the
/// aggregation rule gives.
struct ServerOptimizerConfig {
  /// "none": w += D.  "fedavgm": m = momentum m + D; w += lr m.
  /// The others: m = beta1 m + (1 - beta1) D; w += lr m / (sqrt(v) + tau), where v starts at tau^2:
  /// "fedadagrad": v += D^2;  "fedadam": v = beta2 v + (1 - beta2) D^2;
  /// "fedyogi": v -= (1 - beta2) D^2 sign(v - D^2).
  std::string name = "none";
  double lr = 1.0;
  double momentum = 0.9;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double tau = 1e-3;  ///< larger: less adaptive
};

/// @throws ConfigError that names the key.
void check_config(const ServerOptimizerConfig& config);

}  // namespace convoy::trainer
