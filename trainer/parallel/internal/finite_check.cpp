// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/internal/finite_check.h"

#include <cstdint>
#include <limits>

#include "comm/values.h"
#include "compress/reduce/finite.h"

namespace convoy::trainer::internal {

void FiniteCheck::look_at(const compress::Bucket& bucket) {
  if (layer_ || compress::all_finite(bucket.values)) return;
  for (const auto& layer : bucket.layers) {
    if (compress::all_finite(bucket.values_of(layer))) continue;
    layer_ = layer.name;
    return;
  }
}

void FiniteCheck::look_at_average(const compress::Bucket& bucket) {
  average_is_finite_ = average_is_finite_ && compress::all_finite(bucket.values);
}

std::optional<NonFinite> FiniteCheck::agree(comm::Communicator& communicator) const {
  constexpr auto kNobody = std::numeric_limits<std::int32_t>::max();
  const auto own = layer_ ? std::int32_t{communicator.rank()} : kNobody;
  const auto first = comm::all_reduce_value(communicator, own, comm::ReduceOp::kMin);
  if (first == kNobody) return std::nullopt;
  return NonFinite{first, comm::broadcast_text(communicator, layer_.value_or(""), first)};
}

}  // namespace convoy::trainer::internal
