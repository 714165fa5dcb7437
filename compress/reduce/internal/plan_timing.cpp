// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/plan_timing.h"

#include <algorithm>
#include <cstddef>

#include "comm/values.h"
#include "compress/reduce/array.h"

namespace convoy::compress::internal {
namespace {

/// What costs no codec travels dense.
Carriage carriage_of(Level level, double seconds) {
  if (level.is_dense() || seconds == 0.0) return Carriage::kDense;
  return level.is_half() ? Carriage::kHalf : Carriage::kCompressed;
}

}  // namespace

// Of adding a residual to a gradient.
double PlanTiming::residual_seconds(std::span<const float> gradient) {
  Array<float> residual;
  Array<float> room;
  residual.resize(*executor_, gradient.size());
  room.assign(*executor_, gradient);
  executor_->fill_zero(residual.values());
  const double begin = executor_->seconds();
  executor_->add_residual(std::span<const float>(residual.values()), room.values(), room.values());
  return executor_->seconds() - begin;
}

const std::vector<double>& PlanTiming::codec_seconds(Family& family, const Layer& layer,
                                                     std::span<const float> gradient,
                                                     const std::vector<Level>& candidates,
                                                     int ranks) {
  auto& seconds = seconds_[layer.name];
  if (!seconds.empty()) return seconds;
  const double residual = residual_seconds(gradient);
  for (const Level level : candidates) {
    seconds.push_back(family.sends_dense(layer, level)
                          ? 0.0
                          : residual + family.codec_seconds(layer, gradient, level, ranks));
  }
  return seconds;
}

StepModel PlanTiming::model(comm::Communicator& communicator, const BucketClock& clock) const {
  return {.ready = comm::all_reduce_values(communicator, clock.ready(), comm::ReduceOp::kMax),
          .latency = link_.latency,
          .seconds_per_byte = link_.seconds_per_byte,
          .cpu_per_byte = link_.cpu_per_byte};
}

std::vector<LayerTimes> layer_times(const Table& table,
                                    const std::vector<std::vector<double>>& seconds,
                                    const std::vector<Level>& candidates,
                                    const BucketOfLayer& buckets) {
  std::vector<LayerTimes> times;
  for (std::size_t i = 0; i < table.size(); ++i) {
    LayerTimes layer{.bucket = buckets.at(table[i].name), .levels = {}};
    for (const LevelCost& cost : table[i].levels) {
      const auto index = std::ranges::find(candidates, cost.level) - candidates.begin();
      const double codec = seconds[i][static_cast<std::size_t>(index)];
      layer.levels.push_back({codec, cost.bytes, carriage_of(cost.level, codec)});
    }
    times.push_back(std::move(layer));
  }
  return times;
}

}  // namespace convoy::compress::internal
