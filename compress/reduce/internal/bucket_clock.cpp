// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/bucket_clock.h"

#include <algorithm>

namespace convoy::compress::internal {

void BucketClock::begin_step(Clock::time_point now) {
  if (next_ > 0) ready_.resize(next_);  // they may have been cut into fewer
  begin_ = now;
  next_ = 0;
}

void BucketClock::arrives(const Bucket& bucket, Clock::time_point now) {
  const std::size_t index = next_++;
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  bool is_new = index >= ready_.size();
  for (const Layer& layer : bucket.layers) {
    const auto [at, inserted] = bucket_of_layer_.try_emplace(layer.name, index);
    is_new = is_new || inserted || at->second != index;
    at->second = index;
  }
  ready_.resize(std::max(ready_.size(), index + 1));
  ready_[index] = is_new ? seconds : std::min(ready_[index], seconds);
}

}  // namespace convoy::compress::internal
