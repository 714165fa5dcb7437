// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "base/random.h"
#include "compress/codec/quantize_codec.h"

// The quantiser as docs/codecs.md describes it, value by value and bit by bit: nothing of the
// codec's own code, no SIMD.

namespace convoy::compress::reference {

inline constexpr double kLargest = std::numeric_limits<float>::max();

class BitWriter {
 public:
  explicit BitWriter(std::vector<std::byte>& out) : out_(out) {}
  void write(unsigned code, int bits) {
    for (int bit = 0; bit < bits; ++bit) {
      if (used_ % 8 == 0) out_.push_back(std::byte{0});
      if ((code >> bit) & 1U) out_.back() |= std::byte{1} << (used_ % 8);
      ++used_;
    }
  }

 private:
  std::vector<std::byte>& out_;
  int used_ = 0;
};

template <typename T>
void append(std::vector<std::byte>& out, T value) {
  std::byte bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.insert(out.end(), bytes, bytes + sizeof(T));
}

struct Scale {
  float min;
  float step;
};

inline Scale scale_of(const float* values, std::size_t count, int limit) {
  double lo = kLargest;
  double hi = -kLargest;
  for (std::size_t i = 0; i < count; ++i) {
    if (!std::isfinite(values[i])) return {std::numeric_limits<float>::quiet_NaN(), 0.0F};
    lo = std::min<double>(lo, values[i]);
    hi = std::max<double>(hi, values[i]);
  }
  if ((hi - lo) / limit > kLargest) {
    return {static_cast<float>(lo + (hi - lo - kLargest) / 2), static_cast<float>(kLargest)};
  }
  auto step = static_cast<float>((hi - lo) / limit);
  if (step < (hi - lo) / limit) step = std::nextafterf(step, INFINITY);
  return {lo == 0 ? 0.0F : static_cast<float>(lo), step};
}

inline unsigned random_22_bits(std::uint64_t seed, std::size_t group, std::size_t index) {
  const std::uint64_t key = mix({seed, group});
  auto x = static_cast<std::uint32_t>(key) + static_cast<std::uint32_t>(index) * 0x9e3779b9U;
  x ^= x >> 16;
  x *= 0x7feb352dU;
  x ^= static_cast<std::uint32_t>(key >> 32);
  x ^= x >> 15;
  x *= 0x846ca68bU;
  x ^= x >> 16;
  return x >> 10;
}

inline bool overflows(Scale scale, int limit) {
  return std::isinf(scale.min + scale.step * static_cast<float>(limit));
}

/// Steps between the minimum and `value`.
inline double place_of(float value, Scale scale, int limit) {
  const bool ordinary =
      !overflows(scale, limit) && scale.step >= 0x1p-100F && scale.step <= 0x1p100F;
  if (ordinary) return (value - scale.min) * static_cast<float>(1.0 / scale.step);
  return std::clamp((static_cast<double>(value) - scale.min) / scale.step, 0.0,
                    static_cast<double>(limit));
}

inline float decode(unsigned code, Scale scale, int limit) {
  if (!overflows(scale, limit)) return scale.min + scale.step * static_cast<float>(code);
  const double value = scale.min + static_cast<double>(scale.step) * code;
  return static_cast<float>(std::clamp(value, -kLargest, kLargest));
}

struct Result {
  std::vector<std::byte> payload;
  std::vector<float> decoded;
};

inline Result encode(const std::vector<float>& values, int bits, QuantizeConfig config,
                     std::uint64_t seed) {
  const int limit = (1 << bits) - 1;
  const auto group = static_cast<std::size_t>(config.group);
  Result result;
  for (const unsigned byte : {unsigned{'Q'}, 1U, static_cast<unsigned>(bits),
                              config.rounding == Rounding::kStochastic ? 1U : 0U}) {
    result.payload.push_back(static_cast<std::byte>(byte));
  }
  append(result.payload, static_cast<std::uint32_t>(group));
  append(result.payload, std::uint64_t{values.size()});
  for (std::size_t from = 0; from < values.size(); from += group) {
    const std::size_t count = std::min(group, values.size() - from);
    const Scale scale = scale_of(&values[from], count, limit);
    append(result.payload, scale.min);
    append(result.payload, scale.step);
    BitWriter writer(result.payload);
    for (std::size_t i = 0; i < count; ++i) {
      unsigned code = 0;
      if (scale.step > 0) {
        const double place = place_of(values[from + i], scale, limit);
        const double fixed = std::min(std::floor(place * 0x1p22), limit * 0x1p22);
        code = config.rounding == Rounding::kNearest
                   ? static_cast<unsigned>(std::nearbyint(place))
                   : (static_cast<unsigned>(fixed) + random_22_bits(seed, from / group, i)) >> 22;
      }
      writer.write(code, bits);
      result.decoded.push_back(decode(code, scale, limit));
    }
  }
  return result;
}

}  // namespace convoy::compress::reference
