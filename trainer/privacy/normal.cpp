// SPDX-License-Identifier: Apache-2.0
#include "trainer/privacy/normal.h"

#include <cmath>
#include <cstddef>
#include <numbers>

namespace convoy::trainer::privacy {

void fill_normal(std::span<double> values, Entropy& entropy) {
  for (std::size_t i = 0; i < values.size(); i += 2) {
    const double radius = std::sqrt(-2.0 * std::log(entropy.uniform()));
    const double angle = 2.0 * std::numbers::pi * entropy.uniform();
    values[i] = radius * std::cos(angle);
    if (i + 1 < values.size()) values[i + 1] = radius * std::sin(angle);
  }
}

}  // namespace convoy::trainer::privacy
