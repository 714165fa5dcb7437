// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/timeline.h"
#include "comm/communicator.h"
#include "trainer/job.h"

namespace convoy::launch {

struct StepBench {
  trainer::Job job;
  std::int64_t steps = 40;  ///< together; planned levels need two cycles of adapt_every at least
  /// Sleep so long in place of forward and backward; none: compute.
  std::optional<std::chrono::duration<double>> sleep;
  /// Where a trace of 20 steps together goes (docs/tracing.md); empty: nowhere.
  std::filesystem::path trace;
  comm::Communicator* host = nullptr;  ///< see trainer::RunRequest::host
};

/// What a step consists of, in seconds.
struct StepParts {
  double forward = 0.0;
  double backward = 0.0;
  double optimizer = 0.0;
  double exposed = 0.0;  ///< waiting for communication that compute does not hide
};

/// Seconds of one step on the slowest rank.
struct StepTiming {
  double seconds = 0.0;  ///< median over steps, or their mean
  double spread = 0.0;   ///< median absolute deviation
  StepParts parts;       ///< means over steps and ranks
};

struct StepReport {
  std::int64_t steps = 0;          ///< of each kind
  bool is_mean = false;            ///< over whole cycles of planning; else medians
  StepTiming alone;                ///< forward, backward and optimizer on all ranks, nothing sent
  StepTiming together;             ///< a whole step of training
  double efficiency = 0.0;         ///< alone over together
  double efficiency_spread = 0.0;  ///< over the turns that the two take
  /// Seconds of a step, mean of all ranks: encode, wire (some collective was under way) and decode.
  std::array<double, kPhases> phases{};
  double collectives = 0.0;  ///< of a step, mean of all ranks
  double bytes = 0.0;        ///< sent in a step, mean of all ranks
  double dense_bytes = 0.0;  ///< what dense gradients would have cost
};

/// Steps of training, in turns with the same steps without communication. Collective.
/// @throws ConfigError, CommError.
[[nodiscard]] StepReport measure_steps(comm::Communicator& communicator, const StepBench& bench);

/// What --compute was: "real", or like "sleep:345ms".
[[nodiscard]] std::string compute_text(const StepBench& bench);
[[nodiscard]] std::string to_json(const StepBench& bench, const StepReport& report, int ranks,
                                  const std::string& transport);
[[nodiscard]] std::string to_text(const StepBench& bench, const StepReport& report, int ranks,
                                  const std::string& transport);

}  // namespace convoy::launch
