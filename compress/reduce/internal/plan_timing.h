// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "comm/communicator.h"
#include "compress/plan/step_time.h"
#include "compress/reduce/executor.h"
#include "compress/reduce/family.h"
#include "compress/reduce/internal/bucket_clock.h"
#include "compress/reduce/internal/link.h"

namespace convoy::compress::internal {

/// What plans that minimise time are made from: the link, and what codecs cost. Lives in the
/// planning thread.
class PlanTiming {
 public:
  /// Measures the link. Collective. @param executor  on which codecs are timed. @throws CommError.
  PlanTiming(comm::Communicator& communicator, std::shared_ptr<Executor> executor)
      : link_(measure_link(communicator)), executor_(std::move(executor)) {}

  /// Seconds of codec work for each candidate (dense: 0), residuals included; measured once for a
  /// layer.
  [[nodiscard]] const std::vector<double>& codec_seconds(Family& family, const Layer& layer,
                                                         std::span<const float> gradient,
                                                         const std::vector<Level>& candidates,
                                                         int ranks);

  /// The model of a step in which buckets come as `clock` has seen them on the slowest rank.
  /// Collective. @throws CommError.
  [[nodiscard]] StepModel model(comm::Communicator& communicator, const BucketClock& clock) const;

 private:
  [[nodiscard]] double residual_seconds(std::span<const float> gradient);

  Link link_;
  std::shared_ptr<Executor> executor_;                  // shared with the family
  std::map<std::string, std::vector<double>> seconds_;  // [candidates], by layer
};

/// What each level of `table` costs. Pure.
/// @param seconds  [layers][candidates].
[[nodiscard]] std::vector<LayerTimes> layer_times(const Table& table,
                                                  const std::vector<std::vector<double>>& seconds,
                                                  const std::vector<Level>& candidates,
                                                  const BucketOfLayer& buckets);

}  // namespace convoy::compress::internal
