// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "trainer/privacy/accountant.h"

namespace convoy::trainer {

/// [privacy] of the job file: differential privacy on the client.
struct PrivacyConfig {
  /// "none"
  /// "per_sample": each step's gradient is a noisy sum of clipped gradients of single samples;
  ///   protects a record.
  /// "per_update": the round's update is clipped and noised; protects all records of a site at
  ///   once, and needs many sites or much noise.
  std::string mode = "none";
  /// C: largest L2 norm of what one sample (or one update) brings in. Larger: less is cut off, and
  /// the noise grows with it.
  double clip = 1.0;
  double sigma = 1.0;  ///< the noise's standard deviation is sigma C. Larger: less is spent
  double rate = 0.0;   ///< q: a sample's chance to be in a step; per_sample needs it
  double delta = 1e-5;
  double epsilon = 0.0;  ///< the budget of each site; needed
  /// Folder of the sites' ledgers, outside the run directory; needed.
  std::string ledger;
  /// For tests only: noise that can be taken off again, from this seed; 0: the system's entropy.
  std::int64_t insecure_seed = 0;

  [[nodiscard]] bool is_on() const { return mode != "none"; }
  [[nodiscard]] bool is_per_sample() const { return mode == "per_sample"; }
  [[nodiscard]] privacy::Mechanism mechanism() const {
    return {.q = is_per_sample() ? rate : 1.0, .sigma = sigma};
  }
  [[nodiscard]] privacy::Budget budget() const { return {.epsilon = epsilon, .delta = delta}; }
};

/// @throws ConfigError in one line that names the key.
void check_config(const PrivacyConfig& config);

}  // namespace convoy::trainer
