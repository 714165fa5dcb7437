// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/host_device.h"
#include "compress/codec/internal/magnitude.h"
#include "compress/codec/internal/scaled_half.h"

// The bins of top_k's histogram. A bin's values have one exponent, so in units of their last place
// they and their rounding errors are integers below 2^24: sums of squares are exact, and do not
// depend on the order in which a CPU or thousands of threads add them up. Of these integers the
// upper bits are the bin's own too, and the lowest 16 tell its values apart.

namespace convoy::compress::internal {

inline constexpr int kBinShift = 16;
inline constexpr std::size_t kBins = std::size_t{1} << (kKeyBits - kBinShift);
inline constexpr std::size_t kFiniteBins = kInfinityKey >> kBinShift;

/// A sum of up to 2^32 squares of 24-bit integers, in two parts: low + 2^32 * high.
struct SquareSum {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

/// Of up to 2^32 values.
struct MagnitudeBin {
  std::uint64_t count = 0;
  std::uint64_t lows = 0;         ///< sum of low_part()
  std::uint64_t low_squares = 0;  ///< sum of its squares
  SquareSum rounding;             ///< squared errors of keeping all values as float16
};

/// What tells a key apart from others of its bin.
[[nodiscard]] CONVOY_HOST_DEVICE inline std::uint64_t low_part(std::uint32_t key) {
  return key & 0xffffU;
}

[[nodiscard]] CONVOY_HOST_DEVICE inline std::size_t bin_of(float value) {
  return key_of(value) >> kBinShift;
}

/// The exponent of the power of two that is the last place of the values of bin `index`.
[[nodiscard]] CONVOY_HOST_DEVICE inline int last_place(std::size_t index) {
  const int biased = static_cast<int>(index >> (23 - kBinShift));
  return (biased == 0 ? 1 : biased) - 150;
}

/// The square of that power.
[[nodiscard]] inline double last_place_squared(std::size_t index) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(1023 + 2 * last_place(index)) << 52);
}

/// Sum of the squares of all values of bin `index`.
[[nodiscard]] inline double squares_of(const MagnitudeBin& bin, std::size_t index) {
  const auto key = static_cast<std::uint32_t>(index << kBinShift);
  const auto lowest = static_cast<double>((key & 0x7fffffU) | (key >= 0x800000U ? 0x800000U : 0U));
  // (lowest + low)^2, summed up.
  const double units = static_cast<double>(bin.count) * (lowest * lowest) +
                       2.0 * lowest * static_cast<double>(bin.lows) +
                       static_cast<double>(bin.low_squares);
  return units * last_place_squared(index);
}

/// Sum of the squared errors of float16 in bin `index`.
[[nodiscard]] inline double rounding_of(const MagnitudeBin& bin, std::size_t index) {
  const double units =
      static_cast<double>(bin.rounding.high) * 0x1p32 + static_cast<double>(bin.rounding.low);
  return units * last_place_squared(index);
}

/// Counts a value of bin `bin`, with its square.
/// @param add  add(sum, term) adds an integer: plainly, or atomically in a kernel.
template <typename Add>
CONVOY_HOST_DEVICE void add_value(MagnitudeBin& bin, float value, Add add) {
  const std::uint64_t low = low_part(key_of(value));
  add(bin.count, std::uint64_t{1});
  add(bin.lows, low);
  add(bin.low_squares, low * low);
}

/// Adds the squared error of sending `value` as float16; none for what is not finite.
template <typename Add>
CONVOY_HOST_DEVICE void add_rounding(MagnitudeBin& bin, float value, const ScaledHalf& half,
                                     Add add) {
  if (key_of(value) >= kInfinityKey) return;
  const double error =
      static_cast<double>(value) - static_cast<double>(half.widen(half.narrow(value)));
  const auto biased = static_cast<std::uint64_t>(1023 - last_place(bin_of(value)));
  const double units = error * std::bit_cast<double>(biased << 52);
  const auto distance = static_cast<std::uint64_t>(units < 0.0 ? -units : units);
  const std::uint64_t square = distance * distance;
  add(bin.rounding.low, square & 0xffffffffU);
  if (square >> 32 != 0) add(bin.rounding.high, square >> 32);  // only where float16 is subnormal
}

}  // namespace convoy::compress::internal
