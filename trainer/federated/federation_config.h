// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "scheduler/policy_config.h"
#include "trainer/federated/server_optimizer_config.h"

namespace convoy::trainer {

/// Strongest proximal term: what a float gradient can hold.
inline constexpr double kMostProximal = 1e38;

/// [federation] of the job file: who trains together, by which rule, for how long.
struct FederationConfig {
  /// Algorithm, local steps, speed estimate, weights, staleness.
  scheduler::PolicyConfig policy;
  ServerOptimizerConfig server_optimizer;  ///< with fedavg and fedbuff
  std::int64_t clients = 4;

  // The run ends at what comes first of these; 0: no such end. At least one is given.
  std::int64_t rounds = 0;   ///< versions of the global model
  std::int64_t updates = 0;  ///< updates that reached the server
  double seconds = 0.0;      ///< on the clock of the run

  /// "virtual": events are ordered and timed by the emulated speeds, whatever training really
  ///   takes; the run is a function of the job alone.
  /// "throttled": real time; a client that is faster than its emulated speed waits.
  /// "live": real time as it is.
  std::string clock = "virtual";
  /// Emulated seconds of one local step of each client: "homogeneous" (all mean_step_seconds),
  /// "normal" (deviation 0.3 of the mean, at least a tenth of it), "exponential" (likewise), or a
  /// list, in speed_list.
  std::string speeds = "homogeneous";
  std::vector<double> speed_list;
  double mean_step_seconds = 0.15;
  /// "seconds": what speeds and mean_step_seconds are in. "measured": a list holds factors of the
  ///   time that a local step takes on this machine, measured at the start, and distributions are
  ///   drawn around mean_step_factor of it. Then runs differ from machine to machine.
  std::string speed_unit = "seconds";
  double mean_step_factor = 1.0;
  double speed_noise = 0.05;      ///< deviation from round to round, as a share of the speed
  double overhead_seconds = 0.0;  ///< of every round: transfer, start-up

  /// Compressed updates ([compression]): versions whose payloads the server keeps for clients that
  /// are behind. Larger: more memory, fewer dense models sent.
  std::int64_t downlink_versions = 16;

  /// Clients that are ranks: one that has given no sign of life for so many seconds is dead, and
  /// evicted until its update comes; 0: never. Slow clients give signs all the time. Larger: short
  /// interruptions go unnoticed, and others wait longer for the dead.
  double liveness_timeout = 30.0;
  [[nodiscard]] double liveness_seconds() const {
    return liveness_timeout > 0.0 ? liveness_timeout : std::numeric_limits<double>::infinity();
  }

  /// FedProx: strength of the pull towards the model that a client was given; 0: none.
  double proximal = 0.0;
  /// Share of its samples that every client holds back for a validation of its own.
  double validation = 0.0;
  /// Updates between two evaluations on the server; 0: as many as clients. The end is always
  /// evaluated.
  std::int64_t evaluate_every = 0;
  /// In one process: clients that train at a time; 0: as many as processors. Changes no result
  /// under the virtual clock.
  std::int64_t workers = 0;
};

/// @throws ConfigError in one line that names the key.
void check_config(const FederationConfig& config);

}  // namespace convoy::trainer
