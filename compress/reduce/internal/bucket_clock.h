// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "compress/reduce/reducer.h"

namespace convoy::compress::internal {

/// Which layers travel together.
using BucketOfLayer = std::map<std::string, std::size_t>;

/// When buckets come, in a step: the earliest that has been seen, because one that waits for those
/// before it comes late.
class BucketClock {
 public:
  using Clock = std::chrono::steady_clock;

  void begin_step(Clock::time_point now);
  void arrives(const Bucket& bucket, Clock::time_point now);
  /// Seconds since the beginning of a step, by bucket.
  [[nodiscard]] const std::vector<double>& ready() const { return ready_; }
  [[nodiscard]] const BucketOfLayer& bucket_of_layer() const { return bucket_of_layer_; }

 private:
  Clock::time_point begin_{};
  std::size_t next_ = 0;
  std::vector<double> ready_;
  BucketOfLayer bucket_of_layer_;
};

}  // namespace convoy::compress::internal
