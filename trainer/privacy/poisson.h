// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/privacy/entropy.h"

namespace convoy::trainer::privacy {

/// Each of `records` with probability q, independent of the others, in their order; may be none.
/// This, and no shuffled order of fixed batches, is what the accountant's q means.
[[nodiscard]] std::vector<std::int64_t> poisson_sample(std::span<const std::int64_t> records,
                                                       double q, Entropy& entropy);

}  // namespace convoy::trainer::privacy
