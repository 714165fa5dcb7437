// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "trainer/job.h"

namespace convoy::trainer {

/// How the samples of a run fall into steps. Pure arithmetic.
///
/// A global batch is ranks * batch_size samples; a step is `accumulate` of them (fewer at the end
/// of an epoch).
class Geometry {
 public:
  /// @throws ConfigError when there are more ranks than samples, or when a count would pass 2^53.
  Geometry(const TrainConfig& train, std::int64_t samples, int ranks);

  [[nodiscard]] std::int64_t batches_per_epoch() const { return batches_per_epoch_; }
  [[nodiscard]] std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
  [[nodiscard]] std::int64_t total_steps() const { return total_steps_; }
  [[nodiscard]] std::int64_t batch_samples() const { return batch_samples_; }

  /// Global batches [begin, end) of an epoch that make up its step number `step`.
  struct Range {
    std::int64_t begin;
    std::int64_t end;
  };
  [[nodiscard]] Range batches_of_step(std::int64_t step_in_epoch) const;

  /// The step of the epoch in which sample number `position` of the epoch's order lies. A position
  /// that another number of ranks has left behind is rounded down: less than one step of samples is
  /// then seen twice.
  [[nodiscard]] std::int64_t step_of_position(std::int64_t position) const;
  /// Samples of the epoch that come before step number `step_in_epoch`.
  [[nodiscard]] std::int64_t position_of_step(std::int64_t step_in_epoch) const;

 private:
  std::int64_t accumulate_;
  std::int64_t samples_;
  std::int64_t batch_samples_;
  std::int64_t batches_per_epoch_;
  std::int64_t steps_per_epoch_;
  std::int64_t total_steps_;
};

}  // namespace convoy::trainer
