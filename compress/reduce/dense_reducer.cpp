// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/dense_reducer.h"

#include <utility>

#include "compress/reduce/family.h"

namespace convoy::compress {

Reduction DenseReducer::start(const Bucket& bucket, int priority) {
  sent_.start();
  const TimedSpan span(timeline_, Phase::kWire, bucket.layers.front().name);
  comm::Buffer values(bucket.values, bucket.owner);
  values.device = bucket.device;
  auto mean =
      communicator_.all_reduce(std::move(values), comm::ReduceOp::kMean, {.priority = priority});
  co_await mean;
}

double DenseReducer::wire_bytes(const Layer& layer) {
  return two_hop_bytes(static_cast<double>(layer.numel) * sizeof(float), communicator_.size());
}

}  // namespace convoy::compress
