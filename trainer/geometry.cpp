// SPDX-License-Identifier: Apache-2.0
#include "trainer/geometry.h"

#include <algorithm>
#include <string>

#include "base/errors.h"

namespace convoy::trainer {
namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace

Geometry::Geometry(const TrainConfig& train, std::int64_t samples, int ranks)
    : accumulate_(train.accumulate),
      samples_(samples),
      batch_samples_(ranks * train.batch_size),
      batches_per_epoch_(ceil_div(samples, batch_samples_)),
      steps_per_epoch_(ceil_div(batches_per_epoch_, accumulate_)),
      total_steps_(train.steps > 0 ? train.steps : train.epochs * steps_per_epoch_) {
  require_config(samples >= ranks, "there are more ranks (" + std::to_string(ranks) +
                                       ") than training samples (" + std::to_string(samples) + ")");
}

Geometry::Range Geometry::batches_of_step(std::int64_t step_in_epoch) const {
  const std::int64_t begin = step_in_epoch * accumulate_;
  return {begin, std::min(begin + accumulate_, batches_per_epoch_)};
}

std::int64_t Geometry::step_of_position(std::int64_t position) const {
  return position / (batch_samples_ * accumulate_);
}

std::int64_t Geometry::position_of_step(std::int64_t step_in_epoch) const {
  return std::min(step_in_epoch * accumulate_ * batch_samples_, samples_);
}

}  // namespace convoy::trainer
