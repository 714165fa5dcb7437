// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/dense_reducer.h"

namespace convoy::compress {

void DenseReducer::reduce(const Bucket& bucket) {
  const std::uint64_t before = communicator_.bytes_sent();
  communicator_.all_reduce(comm::Buffer(bucket.values, bucket.owner)).wait();
  traffic_.sent_bytes += communicator_.bytes_sent() - before;
  traffic_.dense_bytes = traffic_.sent_bytes;
  if (communicator_.size() == 1) return;
  const float share = 1.0F / static_cast<float>(communicator_.size());
  for (float& value : bucket.values) value *= share;
}

}  // namespace convoy::compress
