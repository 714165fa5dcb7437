// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "trainer/privacy/entropy.h"

namespace convoy::trainer::privacy {

/// Fills `values` with independent standard normal numbers (Box-Muller on 53-bit uniforms, in
/// double). None is beyond 8.58 in magnitude, where a true one is once in 10^17. Some 30 ns each
/// besides the entropy. To be rounded to a grid before use, see NoisySum.
void fill_normal(std::span<double> values, Entropy& entropy);

}  // namespace convoy::trainer::privacy
