// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/internal/finite_check.h"

#include <cstdint>
#include <limits>

#include "comm/values.h"
#include "compress/reduce/finite.h"

namespace convoy::trainer::internal {

namespace {

/// Keeps what was found before; one pass where that is nothing.
void find_first(const compress::Bucket& bucket, std::optional<std::string>& name) {
  if (name || compress::all_finite(bucket.values)) return;
  for (const auto& layer : bucket.layers) {
    if (compress::all_finite(bucket.values_of(layer))) continue;
    name = layer.name;
    return;
  }
}

}  // namespace

void FiniteCheck::look_at(const compress::Bucket& bucket) { find_first(bucket, own_); }

void FiniteCheck::look_at_average(const compress::Bucket& bucket) { find_first(bucket, average_); }

std::optional<NonFinite> FiniteCheck::agree(comm::Communicator& communicator) const {
  constexpr auto kNobody = std::numeric_limits<std::int32_t>::max();
  const auto own = own_ ? std::int32_t{communicator.rank()} : kNobody;
  const auto first = comm::all_reduce_value(communicator, own, comm::ReduceOp::kMin);
  if (first != kNobody) {
    return NonFinite{first, comm::broadcast_text(communicator, own_.value_or(""), first)};
  }
  if (!average_) return std::nullopt;
  return NonFinite{NonFinite::kSum, *average_};
}

}  // namespace convoy::trainer::internal
