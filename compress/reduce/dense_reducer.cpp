// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/dense_reducer.h"

#include "base/errors.h"

namespace convoy::compress {

void DenseReducer::reduce(const Bucket& bucket) {
  communicator_.all_reduce(comm::Buffer(bucket.values, bucket.owner)).wait();
  if (communicator_.size() == 1) return;
  const float share = 1.0F / static_cast<float>(communicator_.size());
  for (float& value : bucket.values) value *= share;
}

std::int64_t DenseReducer::wire_bytes(std::int64_t numel, int ranks) const {
  require(numel >= 0 && ranks > 0, "wire_bytes: numel must be >= 0 and ranks > 0");
  const auto payload = numel * static_cast<std::int64_t>(sizeof(float));
  return 2 * payload * (ranks - 1) / ranks;
}

}  // namespace convoy::compress
