// SPDX-License-Identifier: Apache-2.0
#include "launch/job/ranges.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>

namespace convoy::launch {

std::string IntegerRange::text() const {
  if (high == std::numeric_limits<std::int64_t>::max()) return fmt::format("at least {}", low);
  return fmt::format("in {}..{}", low, high);
}

bool NumberRange::contains(double value) const {
  if (!std::isfinite(value)) return false;
  const bool above = low_included ? value >= low : value > low;
  const bool below = high_included ? value <= high : value < high;
  return above && below;
}

std::string NumberRange::text() const {
  if (std::isfinite(high)) {
    return fmt::format("in {}{}, {}{}", low_included ? '[' : '(', low, high,
                       high_included ? ']' : ')');
  }
  if (std::isfinite(low)) return fmt::format("{} {}", low_included ? "at least" : "above", low);
  return "a finite number";
}

}  // namespace convoy::launch
