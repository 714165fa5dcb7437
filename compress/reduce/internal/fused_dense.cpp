// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/fused_dense.h"

#include <algorithm>
#include <utility>

#include "compress/reduce/internal/mean.h"

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

void FusedDense::average(comm::Communicator& communicator) {
  if (parts_.size() == 1) return internal::average(communicator, parts_.front(), owner_);
  message_->clear();
  for (const auto part : parts_) message_->insert(message_->end(), part.begin(), part.end());
  internal::average(communicator, *message_, message_);
  auto rest = std::span<const float>(*message_);
  for (const auto part : parts_) {
    std::ranges::copy(rest.first(part.size()), part.begin());
    rest = rest.subspan(part.size());
  }
}

}  // namespace convoy::compress::internal
