// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/dense_reducer.h"

#include "compress/reduce/family.h"
#include "compress/reduce/internal/mean.h"

namespace convoy::compress {

void DenseReducer::reduce(const Bucket& bucket) {
  start(bucket, 0)->wait();
  finish(bucket);
}

std::optional<comm::Request> DenseReducer::start(const Bucket& bucket, int priority) {
  if (under_way_++ == 0) {
    sent_before_ = communicator_.bytes_sent();
    busy_ = {Phase::kWire,
             timeline_ != nullptr ? bucket.layers.front().name : "",
             Timeline::Clock::now(),
             {}};
  }
  return communicator_.all_reduce(comm::Buffer(bucket.values, bucket.owner), comm::ReduceOp::kSum,
                                  priority);
}

void DenseReducer::finish(const Bucket& bucket) {
  if (--under_way_ == 0 && timeline_ != nullptr) {
    busy_.end = Timeline::Clock::now();
    timeline_->add(busy_);
  }
  internal::divide_by_ranks(communicator_, bucket.values);
  if (under_way_ > 0) return;
  traffic_.sent_bytes += communicator_.bytes_sent() - sent_before_;
  traffic_.dense_bytes = traffic_.sent_bytes;
}

double DenseReducer::wire_bytes(const Layer& layer) {
  return two_hop_bytes(static_cast<double>(layer.numel) * sizeof(float), communicator_.size());
}

}  // namespace convoy::compress
