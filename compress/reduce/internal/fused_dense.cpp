// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/fused_dense.h"

#include <algorithm>
#include <utility>

namespace convoy::compress::internal {

void FusedDense::begin_bucket(std::shared_ptr<void> owner) {
  parts_.clear();
  owner_ = std::move(owner);
}

void FusedDense::add(std::span<float> values) {
  if (!parts_.empty() && parts_.back().data() + parts_.back().size() == values.data()) {
    parts_.back() = {parts_.back().data(), parts_.back().size() + values.size()};
  } else {
    parts_.push_back(values);
  }
}

Reduction FusedDense::average(comm::Communicator& communicator, comm::Turn turn) {
  const bool in_place = parts_.size() == 1;
  if (!in_place) {
    message_->clear();
    for (const auto part : parts_) message_->insert(message_->end(), part.begin(), part.end());
  }
  const comm::Buffer values = in_place ? comm::Buffer(parts_.front(), owner_)
                                       : comm::Buffer(std::span(*message_), message_);
  auto mean = communicator.all_reduce(values, comm::ReduceOp::kMean, turn);
  co_await mean;
  if (in_place) co_return;
  auto rest = std::span<const float>(*message_);
  for (const auto part : parts_) {
    std::ranges::copy(rest.first(part.size()), part.begin());
    rest = rest.subspan(part.size());
  }
}

}  // namespace convoy::compress::internal
