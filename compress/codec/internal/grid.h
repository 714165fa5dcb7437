// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "base/host_device.h"

// The grid of one group of quantised values: value = min + step * code, code = 0..limit. Ordinary
// groups are computed in float32 by SIMD kernels (quantize_kernels.h); the functions here serve
// the rest, in float64: groups so wide that float32 overflows, or so narrow that it loses bits.

namespace convoy::compress::internal {

struct Range {
  float lo = 0.0F;
  float hi = 0.0F;
  bool finite = true;  ///< no value of the group is NaN or infinite
};

struct Grid {
  float min = 0.0F;
  float step = 0.0F;
  int limit = 1;
};

/// The largest code of `bits` bits.
[[nodiscard]] CONVOY_HOST_DEVICE constexpr int limit_of(int bits) { return (1 << bits) - 1; }

inline constexpr float kLargestFloat = std::numeric_limits<float>::max();

/// The grid with the smallest step that reaches from lo to hi: steps are rounded up. A group that
/// is not finite gets NaN, so that whoever decodes it notices.
[[nodiscard]] CONVOY_HOST_DEVICE inline Grid make_grid(const Range& range, int limit) {
  if (!range.finite) return {std::numeric_limits<float>::quiet_NaN(), 0.0F, limit};
  const double width = static_cast<double>(range.hi) - static_cast<double>(range.lo);
  const double exact = width / limit;
  if (exact > static_cast<double>(kLargestFloat)) {
    // One bit, and lo and hi near both ends of float32: two codes in the middle.
    const double margin = (width - static_cast<double>(kLargestFloat)) / 2;
    return {static_cast<float>(range.lo + margin), kLargestFloat, limit};
  }
  const auto nearest = static_cast<float>(exact);
  // The next float above is one above as an integer. No branch: it would be a coin toss.
  const auto rounded_down = static_cast<std::uint32_t>(static_cast<double>(nearest) < exact);
  const auto step = std::bit_cast<float>(std::bit_cast<std::uint32_t>(nearest) + rounded_down);
  return {range.lo + 0.0F, step, limit};  // -0 becomes +0, which SIMD minima cannot tell apart
}

/// Whether a payload may hold this grid.
[[nodiscard]] CONVOY_HOST_DEVICE inline bool is_valid(const Grid& grid) {
  return !std::isinf(grid.min) && grid.step >= 0.0F && std::isfinite(grid.step);
}

/// Whether min + step * code in float32 overflows for no code (NaN passes).
[[nodiscard]] CONVOY_HOST_DEVICE inline bool decodes_in_float(const Grid& grid) {
  const float top = grid.min + grid.step * static_cast<float>(grid.limit);
  return !std::isinf(top);
}

/// Whether (value - min) / step can be computed in float32 through the reciprocal of step.
[[nodiscard]] CONVOY_HOST_DEVICE inline bool encodes_in_float(const Grid& grid) {
  return decodes_in_float(grid) && grid.step >= 0x1p-100F && grid.step <= 0x1p100F;
}

/// Random numbers of stochastic rounding have this many bits; a value is rounded up with a
/// probability that is a multiple of 2^-kRandomBits.
inline constexpr int kRandomBits = 22;

/// Names the random numbers of one group.
struct GroupKey {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
};

// Multipliers and shifts of C. Wellons' lowbias32, a mixing function of 32-bit words.
inline constexpr std::uint32_t kCounterStep = 0x9e3779b9U;
inline constexpr std::uint32_t kMixFirst = 0x7feb352dU;
inline constexpr std::uint32_t kMixSecond = 0x846ca68bU;

/// The random number, below 2^kRandomBits, of the value at `index` in its group.
[[nodiscard]] CONVOY_HOST_DEVICE inline std::uint32_t random_at(GroupKey key, std::uint32_t index) {
  std::uint32_t x = key.low + index * kCounterStep;
  x = (x ^ (x >> 16)) * kMixFirst ^ key.high;
  x = (x ^ (x >> 15)) * kMixSecond;
  return (x ^ (x >> 16)) >> (32 - kRandomBits);
}

/// Where `value` lies on the grid, in steps from min, kept within it.
[[nodiscard]] CONVOY_HOST_DEVICE inline double exact_place(float value, const Grid& grid) {
  const double place = (static_cast<double>(value) - grid.min) / grid.step;
  return std::clamp(place, 0.0, static_cast<double>(grid.limit));
}

[[nodiscard]] CONVOY_HOST_DEVICE inline std::uint8_t exact_nearest_code(float value,
                                                                        const Grid& grid) {
  return static_cast<std::uint8_t>(std::nearbyint(exact_place(value, grid)));
}

[[nodiscard]] CONVOY_HOST_DEVICE inline std::uint8_t exact_stochastic_code(float value,
                                                                           const Grid& grid,
                                                                           std::uint32_t random) {
  const double scaled = exact_place(value, grid) * (1 << kRandomBits);
  return static_cast<std::uint8_t>((static_cast<std::uint32_t>(scaled) + random) >> kRandomBits);
}

/// For grids that do not decode in float32.
[[nodiscard]] CONVOY_HOST_DEVICE inline float exact_value(std::uint8_t code, const Grid& grid) {
  const double value = grid.min + static_cast<double>(grid.step) * code;
  const auto largest = static_cast<double>(kLargestFloat);
  return static_cast<float>(std::clamp(value, -largest, largest));
}

/// As every kernel decodes. For a min that is NaN see quiet() in elementwise.h.
[[nodiscard]] CONVOY_HOST_DEVICE inline float value_at(std::uint8_t code, const Grid& grid) {
  return decodes_in_float(grid) ? grid.min + grid.step * static_cast<float>(code)
                                : exact_value(code, grid);
}

}  // namespace convoy::compress::internal
