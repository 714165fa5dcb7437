// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "base/random.h"
#include "compress/codec/codec.h"

// What the tests of all codecs share.

namespace convoy::compress {

inline std::vector<float> normal_values(std::size_t count, std::uint64_t seed, double scale = 1.0) {
  Random random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(scale * random.normal());
  return values;
}

/// 0, 1, 2, ...
inline std::vector<float> arange(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 0.0F);
  return values;
}

inline std::vector<std::byte> encoded(const Codec& codec, Values values, Level level,
                                      std::uint64_t seed = 0) {
  std::vector<std::byte> payload(codec.max_bytes(numel(values), level));
  payload.resize(codec.encode(values, level, seed, payload));
  return payload;
}

inline std::vector<std::byte> encoded(const Codec& codec, const std::vector<float>& values,
                                      Level level, std::uint64_t seed = 0) {
  return encoded(codec, Values(std::span(values)), level, seed);
}

inline std::vector<float> decoded(const Codec& codec, std::span<const std::byte> payload,
                                  std::size_t count) {
  std::vector<float> out(count, -12345.0F);
  codec.decode(payload, out);
  return out;
}

inline std::vector<float> round_trip(const Codec& codec, const std::vector<float>& values,
                                     Level level, std::uint64_t seed = 0) {
  return decoded(codec, encoded(codec, values, level, seed), values.size());
}

inline double squared_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  return sum;
}

/// The message of the PayloadError that decoding `payload` into `count` values throws; empty if
/// none.
inline std::string payload_error(const Codec& codec, std::span<const std::byte> payload,
                                 std::size_t count) {
  std::vector<float> out(count);
  std::string messages[2];
  for (const bool add : {false, true}) {
    try {
      add ? codec.add_decoded(payload, 1.0F, out) : codec.decode(payload, out);
    } catch (const PayloadError& error) {
      messages[add] = error.what();
    }
  }
  return messages[0] == messages[1] ? messages[0] : "decode and add_decoded disagree";
}

}  // namespace convoy::compress
