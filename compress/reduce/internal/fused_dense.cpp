// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/fused_dense.h"

#include <algorithm>

namespace convoy::compress::internal {

void FusedDense::average(comm::Communicator& communicator) {
  message_->clear();
  for (const auto part : parts_) message_->insert(message_->end(), part.begin(), part.end());
  communicator.all_reduce(comm::Buffer(std::span(*message_), message_)).wait();
  const float share = 1.0F / static_cast<float>(communicator.size());
  auto rest = std::span<const float>(*message_);
  for (const auto part : parts_) {
    std::ranges::transform(rest.first(part.size()), part.begin(),
                           [share](float sum) { return sum * share; });
    rest = rest.subspan(part.size());
  }
}

}  // namespace convoy::compress::internal
