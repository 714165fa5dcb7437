// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cfloat>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/compress/codec/codec_kit.h"
#include "tests/compress/cuda/device_values.h"
// The devices to test on: another header (a definition of the build) may name others.
#if defined(CONVOY_TEST_DEVICES)
#include CONVOY_TEST_DEVICES
#else
#include "tests/compress/cuda/on_host.h"
#endif

// What the tests of kernels share: inputs, and codecs of a device that take and give vectors.

namespace convoy::compress::cuda {

/// One for all tests of a device.
template <typename Device>
Engine& engine_of() {
  static const std::unique_ptr<Engine> engine = Device::make();
  return *engine;
}

template <typename Device, typename T>
DeviceValuesOf<T> on(const std::vector<T>& values) {
  return {engine_of<Device>(), values};
}

struct Input {
  std::string name;
  std::vector<float> values;
};

/// Around the sizes of groups, blocks and tiles.
inline std::vector<Input> sized_inputs() {
  std::vector<Input> all;
  for (const std::size_t size : {0, 1, 7, 31, 32, 33, 64, 511, 1000, 2048, 2049, 4097}) {
    all.push_back({std::to_string(size) + " values", normal_values(size, size)});
  }
  return all;
}

/// Numbers of every magnitude, by their bits; NaN and infinity among them if asked for.
inline std::vector<float> any_values(std::size_t count, bool finite) {
  Random random(99);
  std::vector<float> values;
  while (values.size() < count) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (!finite || std::isfinite(value)) values.push_back(value);
  }
  return values;
}

inline std::vector<Input> special_inputs() {
  std::vector<Input> all{{"tiny", normal_values(300, 2, 1e-42)},
                         {"narrow", normal_values(300, 3, 1e-33)},
                         {"large", normal_values(300, 4, 1e33)},
                         {"any finite", any_values(900, true)},
                         {"anything", any_values(3000, false)},
                         {"extremes", {FLT_MAX, -FLT_MAX, 0.0F, -0.0F, FLT_MIN, 1e-45F, -1e-45F}},
                         {"wide by one step", {0.0F, FLT_MAX, FLT_MAX / 3}},
                         {"zeros", std::vector<float>(5000, -0.0F)},
                         {"ties", std::vector<float>(5000, 2.5F)},
                         {"one", {-3.25F}}};
  all.push_back({"with infinities and NaN", normal_values(700, 6)});
  all.back().values[3] = INFINITY;
  all.back().values[4] = -INFINITY;
  all.back().values[150] = NAN;
  all.back().values[151] = -NAN;
  all.push_back({"few that are not zero", std::vector<float>(70000, 0.0F)});
  for (const std::size_t at : {5, 6, 400, 66000}) all.back().values[at] = static_cast<float>(at);
  return all;
}

inline std::vector<Input> all_inputs() {
  std::vector<Input> all = sized_inputs();
  for (Input& input : special_inputs()) all.push_back(std::move(input));
  return all;
}

template <typename Device, typename T>
std::vector<std::byte> encoded_on(DeviceCodec& codec, const std::vector<T>& values, Level level,
                                  std::uint64_t seed = 0) {
  const auto input = on<Device>(values);
  const auto numel = static_cast<std::int64_t>(values.size());
  // Garbage that must be overwritten.
  const auto out =
      on<Device>(std::vector<std::byte>(codec.on_host().max_bytes(numel, level), std::byte{0xEE}));
  const std::size_t used = codec.encode(input.read(), level, seed, out.span());
  std::vector<std::byte> payload = out.to_host();
  payload.resize(used);
  return payload;
}

template <typename Device>
std::vector<float> decoded_on(DeviceCodec& codec, const std::vector<std::byte>& payload,
                              std::size_t count) {
  const auto in = on<Device>(payload);
  const auto out = on<Device>(std::vector<float>(count, -12345.0F));
  codec.decode(in.span(), out.span());
  return out.to_host();
}

template <typename Device>
std::vector<float> sum_on(DeviceCodec& codec, const std::vector<std::byte>& payload, float scale,
                          const std::vector<float>& start) {
  const auto in = on<Device>(payload);
  const auto out = on<Device>(start);
  codec.add_decoded(in.span(), scale, out.span());
  return out.to_host();
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), 4 * a.size()) == 0);
}

/// Bits, but any NaN equals any other: of sums that is all that a GPU promises.
inline bool same_but_nan(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool same = std::bit_cast<std::uint32_t>(a[i]) == std::bit_cast<std::uint32_t>(b[i]);
    if (!same && !(std::isnan(a[i]) && std::isnan(b[i]))) return false;
  }
  return true;
}

/// Holds encoding, decoding and adding of one input at one level to the CPU's codec.
template <typename Device>
void expect_as_on_the_cpu(DeviceCodec& codec, const std::vector<float>& values, Level level,
                          std::uint64_t seed) {
  const auto expected = encoded(codec.on_host(), values, level, seed);
  ASSERT_EQ(encoded_on<Device>(codec, values, level, seed), expected);
  ASSERT_TRUE(same_bits(decoded_on<Device>(codec, expected, values.size()),
                        decoded(codec.on_host(), expected, values.size())));
  const std::vector<float> start = normal_values(values.size(), 11);
  std::vector<float> sum = start;
  codec.on_host().add_decoded(expected, 1.0F / 3.0F, sum);
  ASSERT_TRUE(same_but_nan(sum_on<Device>(codec, expected, 1.0F / 3.0F, start), sum));
}

/// Holds the errors of a level table, with float64's bits, to the CPU's.
template <typename Device>
void expect_levels_as_on_the_cpu(DeviceCodec& codec, const std::vector<float>& values,
                                 const std::vector<Level>& candidates) {
  const auto input = on<Device>(values);
  const auto table = codec.levels(input.span(), candidates);
  const auto expected = codec.on_host().levels(values, candidates);
  ASSERT_EQ(table.size(), expected.size());
  for (std::size_t i = 0; i < table.size(); ++i) {
    EXPECT_EQ(table[i].level, expected[i].level);
    EXPECT_EQ(table[i].bytes, expected[i].bytes);
    const bool same = table[i].error == expected[i].error ||
                      (std::isnan(table[i].error) && std::isnan(expected[i].error));
    EXPECT_TRUE(same) << "level " << to_text(table[i].level) << ": " << table[i].error << " and "
                      << expected[i].error;
  }
}

}  // namespace convoy::compress::cuda
