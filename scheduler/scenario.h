// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/actions.h"
#include "scheduler/policy_config.h"

namespace convoy::scheduler {

/// How one simulated client behaves. Its rounds count from 0, one for each of its arrivals.
struct SimulatedClient {
  /// After so many of its arrivals, the next round takes so many seconds more.
  struct Absence {
    std::int64_t after_arrivals = 0;
    double seconds = 0.0;
  };

  ClientId id = 0;
  std::int64_t samples = 1;
  std::vector<double> seconds_per_step;               ///< by round; the last entry repeats
  std::vector<double> overhead_seconds{0.0};          ///< by round, likewise: transfer, start-up
  std::optional<std::int64_t> vanish_after_arrivals;  ///< the round after never ends
  std::vector<Absence> absences;

  /// Each round's seconds per step are multiplied by max(0.1, 1 + noise * standard normal).
  double noise = 0.0;
  /// ... and by 1 + drift * sin(2 pi round / drift_rounds + a phase of the client's own).
  double drift = 0.0;
  double drift_rounds = 50.0;
  /// With this probability a round takes absence_seconds more (drop-out and rejoin) ...
  double absence_probability = 0.0;
  double absence_seconds = 0.0;
  /// ... or never ends.
  double vanish_probability = 0.0;
};

/// Everything that a simulation is made from.
struct Scenario {
  std::string name;
  PolicyConfig policy;
  std::vector<SimulatedClient> clients;
  std::uint64_t seed = 0;  ///< of noise, absences and vanishing
  /// The run ends right after so many arrivals and what they cause, or after so many seconds.
  std::optional<std::int64_t> arrivals;
  std::optional<double> seconds;
};

/// One round of a simulated client.
struct SimulatedRound {
  double seconds = 0.0;  ///< all of it
  double absent = 0.0;   ///< part of it
  bool ends = true;      ///< false: the client has vanished
};

/// A function of its arguments only, whatever was asked before.
/// @throws ConfigError where the round takes longer than a double can hold.
[[nodiscard]] SimulatedRound simulate_round(const SimulatedClient& client, std::uint64_t seed,
                                            std::int64_t round, std::int64_t local_steps);

/// @param source  what messages call the text, e.g. its path.
/// @throws ConfigError in one line that names source, client and key: no JSON, unknown or missing
///         keys, wrong types or values.
[[nodiscard]] Scenario parse_scenario(std::string_view text, const std::string& source);

/// @throws ConfigError as parse_scenario(), and if the file cannot be read.
[[nodiscard]] Scenario read_scenario(const std::filesystem::path& path);

}  // namespace convoy::scheduler
