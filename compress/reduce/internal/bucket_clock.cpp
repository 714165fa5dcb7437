// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/bucket_clock.h"

#include <algorithm>

namespace convoy::compress::internal {

void BucketClock::arrives(const Bucket& bucket, Clock::time_point now) {
  const std::size_t index = next_++;
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  // Buckets are cut anew, once, after the first step.
  const auto known = bucket_of_layer_.find(bucket.layers.front().name);
  if (known == bucket_of_layer_.end() || known->second != index) {
    for (const Layer& layer : bucket.layers) bucket_of_layer_[layer.name] = index;
    ready_.resize(std::max(ready_.size(), index + 1));
    ready_[index] = seconds;
    return;
  }
  ready_[index] = std::min(ready_[index], seconds);
}

}  // namespace convoy::compress::internal
