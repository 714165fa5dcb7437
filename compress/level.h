// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <string>

namespace convoy::compress {

/// One setting of a family of compression: bits of quantize, density of top_k (0..1], rank of
/// power_sgd. The dense level sends float32 as it is, the half level 16 bits a value, whatever the
/// family. Levels of one family are ordered from coarse to exact; dense is the last, behind half.
class Level {
 public:
  /// Dense.
  constexpr Level() = default;
  /// @param value  bits, density or rank; positive and finite.
  constexpr explicit Level(double value) : value_(value) {}
  [[nodiscard]] static constexpr Level dense() { return {}; }
  [[nodiscard]] static constexpr Level half() { return Level(kHalf); }

  [[nodiscard]] constexpr bool is_dense() const { return value_ == kDense; }
  [[nodiscard]] constexpr bool is_half() const { return value_ == kHalf; }
  /// Infinity for dense, the largest finite number for half.
  [[nodiscard]] constexpr double value() const { return value_; }
  friend constexpr auto operator<=>(const Level&, const Level&) = default;

 private:
  static constexpr double kDense = std::numeric_limits<double>::infinity();
  static constexpr double kHalf = std::numeric_limits<double>::max();
  double value_ = kDense;
};

/// "4", "0.01", "half", "dense": the shortest text that reads back as the same level.
[[nodiscard]] std::string to_text(Level level);

/// What one level of one layer costs.
struct LevelCost {
  Level level;
  double bytes = 0.0;
  double error = 0.0;  ///< ||g - decode(encode(g))||^2
};

}  // namespace convoy::compress
