// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "comm/communicator.h"
#include "launch/bench/step.h"

namespace convoy::launch {

/// Weak: every rank has the whole batch. Strong: the ranks share it.
enum class Growth : std::uint8_t { kWeak, kStrong };
[[nodiscard]] std::string_view name(Growth growth);

struct ScalingBench {
  StepBench step;  ///< as one rank alone takes it
  std::vector<Growth> growths;
  std::vector<std::string> families;  ///< of compression
  /// How many take part: ascending, at most all. Strong: of these, those that can share the batch.
  std::vector<int> ranks;
};

struct ScalingRun {
  Growth growth = Growth::kWeak;
  std::string family;
  int ranks = 1;
  /// Ranks for each core of the machine, where they are more than its cores; else 1. Emulated hosts
  /// share a machine.
  double crowding = 1.0;
  StepReport report;

  /// The part of the batch that each rank has.
  [[nodiscard]] double work() const { return growth == Growth::kWeak ? 1.0 : 1.0 / ranks; }
};

/// 1, 2, 4, 8, ... and `ranks` itself; of four ranks 3 too, or nothing lay between the others.
[[nodiscard]] std::vector<int> rank_counts(int ranks);

/// What each rank of `run` does, where one rank alone takes `whole`.
[[nodiscard]] StepBench step_of(const StepBench& whole, const ScalingRun& run);

/// Measures steps of the first ranks while the others sleep, case after case. Collective.
/// @return on rank 0 all runs. @throws CommError.
[[nodiscard]] std::vector<ScalingRun> measure_scaling(comm::Communicator& communicator,
                                                      const ScalingBench& bench);

}  // namespace convoy::launch
