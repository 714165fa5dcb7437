// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/fused_dense.h"

#include <cstddef>
#include <utility>

namespace convoy::compress::internal {

void FusedDense::begin_bucket(std::shared_ptr<Executor> executor, std::shared_ptr<void> owner) {
  parts_.clear();
  executor_ = std::move(executor);
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
  if (!in_place) gather();
  comm::Buffer values = in_place ? comm::Buffer(parts_.front(), owner_)
                                 : comm::Buffer(message_.values(), message_.owner());
  values.device = executor_->device();
  auto mean = communicator.all_reduce(std::move(values), comm::ReduceOp::kMean, turn);
  co_await mean;
  if (!in_place) scatter();
}

void FusedDense::gather() {
  std::size_t count = 0;
  for (const auto part : parts_) count += part.size();
  auto rest = message_.resize(*executor_, count);
  for (const auto part : parts_) {
    executor_->copy(part, rest.first(part.size()));
    rest = rest.subspan(part.size());
  }
}

void FusedDense::scatter() const {
  std::span<const float> rest = message_.values();
  for (const auto part : parts_) {
    executor_->copy(rest.first(part.size()), part);
    rest = rest.subspan(part.size());
  }
}

}  // namespace convoy::compress::internal
