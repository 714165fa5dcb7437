// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

namespace convoy::trainer {

/// Sums BatchNorm's per-channel statistics over the ranks: what a BatchNorm layer needs from the
/// world, without knowing it. trainer/parallel implements it over a Communicator.
class BatchStatistics {
 public:
  virtual ~BatchStatistics() = default;
  /// values[i] = sum over ranks, in rank order, same bits everywhere. Collective and blocking:
  /// every rank makes the same calls in the same order, also one whose batch is empty.
  virtual void sum(std::span<double> values) = 0;
};

}  // namespace convoy::trainer
