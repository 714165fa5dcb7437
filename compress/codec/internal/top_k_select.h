// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/half.h"

namespace convoy::compress::internal {

/// The indices, ascending, of exactly the `k` values of largest magnitude; of equal ones those with
/// the lower index. NaN counts as larger than infinity.
///
/// A threshold is guessed from a sample; if a little more than k values reach it, as is nearly
/// always so, the exact choice is among those alone: one pass, about the time of a copy. Likewise
/// if fewer than k values are not zero. Otherwise the exact threshold is found first, by counting
/// digits of the keys: four more passes.
/// @param k  at most the number of values.
[[nodiscard]] std::vector<std::int64_t> select_largest(std::span<const float> values,
                                                       std::int64_t k);
[[nodiscard]] std::vector<std::int64_t> select_largest(std::span<const Half> values,
                                                       std::int64_t k);
[[nodiscard]] std::vector<std::int64_t> select_largest(std::span<const BFloat16> values,
                                                       std::int64_t k);

}  // namespace convoy::compress::internal
