// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/dense_reducer.h"

#include "compress/reduce/internal/mean.h"

namespace convoy::compress {

void DenseReducer::reduce(const Bucket& bucket) {
  const TimedSpan span(timeline_, Phase::kWire, bucket.layers.front().name);
  const std::uint64_t before = communicator_.bytes_sent();
  internal::average(communicator_, bucket.values, bucket.owner);
  traffic_.sent_bytes += communicator_.bytes_sent() - before;
  traffic_.dense_bytes = traffic_.sent_bytes;
}

}  // namespace convoy::compress
