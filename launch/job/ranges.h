// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace convoy::launch {

/// Integers that a key takes, both ends included.
struct IntegerRange {
  std::int64_t low = std::numeric_limits<std::int64_t>::min();
  std::int64_t high = std::numeric_limits<std::int64_t>::max();

  [[nodiscard]] bool contains(std::int64_t value) const { return low <= value && value <= high; }
  /// "at least 1", "in 1..1024".
  [[nodiscard]] std::string text() const;
};

/// Finite numbers that a key takes.
struct NumberRange {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_included = true;
  bool high_included = true;

  [[nodiscard]] bool contains(double value) const;
  /// "at least 0", "above 0", "in [0, 1)".
  [[nodiscard]] std::string text() const;
};

inline constexpr IntegerRange kAtLeastZero{0};
inline constexpr IntegerRange kAtLeastOne{1};
inline constexpr NumberRange kNotNegative{0.0};
inline constexpr NumberRange kPositive{.low = 0.0, .low_included = false};
/// [0, 1)
inline constexpr NumberRange kShare{.low = 0.0, .high = 1.0, .high_included = false};

}  // namespace convoy::launch
