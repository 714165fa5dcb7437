// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <cmath>
#include <numbers>

#include "base/errors.h"

namespace convoy {
std::uint64_t mix(std::initializer_list<std::uint64_t> words) {
  std::uint64_t key = kMixStart;
  for (const std::uint64_t word : words) key = mix_in(key, word);
  return key;
}

std::uint64_t Random::below(std::uint64_t bound) {
  require(bound > 0, "Random::below needs a positive bound");
  const std::uint64_t reject_under = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t draw = (*this)();
    if (draw >= reject_under) return draw % bound;
  }
}

double Random::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

}  // namespace convoy
