// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/fused_dense.h"

#include <algorithm>

#include "compress/reduce/internal/mean.h"

namespace convoy::compress::internal {

void FusedDense::average(comm::Communicator& communicator) {
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
