// SPDX-License-Identifier: Apache-2.0
#include "trainer/geometry.h"

#include <algorithm>
#include <string>

#include "base/errors.h"

namespace convoy::trainer {
namespace {

// Beyond it a double, which counters of checkpoints and metrics are, skips whole numbers.
constexpr std::int64_t kLargestCount = std::int64_t{1} << 53;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return a / b + (a % b == 0 ? 0 : 1); }

/// @throws ConfigError that names `key`, which holds `value`, when value * factor is beyond use.
std::int64_t product(const char* key, std::int64_t value, std::int64_t factor) {
  std::int64_t result = 0;
  const bool fits = !__builtin_mul_overflow(value, factor, &result) && result <= kLargestCount;
  require_config(fits, std::string(key) + " = " + std::to_string(value) + " is too large: times " +
                           std::to_string(factor) + " it must be at most 2^53");
  return result;
}

}  // namespace

Geometry::Geometry(const TrainConfig& train, std::int64_t samples, int ranks)
    : accumulate_(train.accumulate),
      samples_(samples),
      batch_samples_(product("train.batch_size", train.batch_size, ranks)),
      batches_per_epoch_(ceil_div(samples, batch_samples_)),
      steps_per_epoch_(ceil_div(batches_per_epoch_, accumulate_)),
      total_steps_(train.steps > 0 ? product("train.steps", train.steps, 1)
                                   : product("train.epochs", train.epochs, steps_per_epoch_)) {
  (void)product("train.accumulate", accumulate_, batch_samples_);
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
