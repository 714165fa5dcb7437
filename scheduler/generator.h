// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "scheduler/scenario.h"

namespace convoy::scheduler {

/// How seconds per step differ between clients.
enum class Distribution : std::uint8_t {
  kHomogeneous,  ///< all the mean
  kNormal,       ///< normal, sigma as a share of the mean
  kExponential,  ///< a few fast ones, a few very slow ones
};

/// "homogeneous", "normal" or "exponential".
[[nodiscard]] std::string_view to_text(Distribution distribution);

/// Many clients at once.
struct ClientGenerator {
  std::int64_t clients = 1;
  Distribution distribution = Distribution::kHomogeneous;
  double mean_seconds_per_step = 0.15;
  double sigma = 0.3;  ///< kNormal; a share of the mean
  /// Nobody is faster than this share of the mean.
  double fastest = 0.01;
  /// What all of them share: everything but id and seconds_per_step.
  SimulatedClient behaviour;
};

/// Clients with ids 0, 1, ... The same seed gives the same ones; fewer are the first of more.
[[nodiscard]] std::vector<SimulatedClient> generate_clients(const ClientGenerator& generator,
                                                            std::uint64_t seed);

}  // namespace convoy::scheduler
