// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.h"
#include "scheduler/speed_estimator.h"

namespace convoy::trainer {

/// Shares each global batch out over the ranks in proportion to their measured speed, so that a
/// slow rank does not set the pace. Every rank measures what its part takes to compute; now and
/// then they tell each other, and all work out the same parts.
class SpeedBalance {
 public:
  /// New parts must promise steps this much shorter, or the old ones stay: noise moves nothing.
  static constexpr double kWorthIt = 0.05;

  /// Equal parts at first. @param global_batch  samples, at least one for each rank.
  SpeedBalance(comm::Communicator& communicator, std::int64_t global_batch);

  /// A micro-batch of this rank: its samples, and the seconds that it computed for them.
  void add(std::int64_t samples, double seconds);
  /// Works the parts out anew from what was added since the last time. Collective.
  /// @return whether they have changed. @throws CommError.
  bool rebalance();

  /// [ranks] samples of a full global batch.
  [[nodiscard]] const std::vector<std::int64_t>& parts() const { return parts_; }
  /// Goes on with the parts of a checkpoint, whose own part each rank knows; 0: it knows none.
  /// Equal parts where they do not make up a global batch (other ranks, another batch size).
  /// Collective. @throws CommError.
  void restore(std::int64_t own_part);

 private:
  comm::Communicator& communicator_;
  std::int64_t global_batch_;
  std::vector<std::int64_t> parts_;
  std::vector<double> seconds_;  ///< of full micro-batches since the last time
  scheduler::SpeedEstimator speed_;
};

}  // namespace convoy::trainer
