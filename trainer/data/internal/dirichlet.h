// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"

namespace convoy::trainer::internal {

/// Logarithm of a Gamma(shape, 1) variate (Marsaglia and Tsang 2000, "A simple method for
/// generating gamma variables"); as a logarithm because small shapes give values that no double can
/// hold. `shape` must be positive. At most a fixed number of draws.
[[nodiscard]] double log_gamma_variate(double shape, Random& random);

/// Proportions that sum to 1, ~ Dir(alphas). Finite for every alpha > 0.
[[nodiscard]] std::vector<double> dirichlet(std::span<const double> alphas, Random& random);

/// `total` in whole parts in proportion to `weights` (not all 0), exact in sum: each part is
/// rounded down, and what is left goes to the largest remainders, of equal ones to the first.
[[nodiscard]] std::vector<std::int64_t> largest_remainders(std::int64_t total,
                                                           std::span<const double> weights);

}  // namespace convoy::trainer::internal
