// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

#include "base/host_device.h"

// The steps of mix() in random.h, one word at a time, for kernels too.

namespace convoy {

/// The next number of splitmix64 (S. Vigna); moves `state` on.
CONVOY_HOST_DEVICE inline std::uint64_t splitmix64(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

inline constexpr std::uint64_t kMixStart = 0x243f6a8885a308d3ULL;

/// The key of a list of words, from that of the list without its last one.
[[nodiscard]] CONVOY_HOST_DEVICE inline std::uint64_t mix_in(std::uint64_t key,
                                                             std::uint64_t word) {
  std::uint64_t state = key ^ word;
  return splitmix64(state) + std::rotl(key, 23);
}

/// mix({first, second}).
[[nodiscard]] CONVOY_HOST_DEVICE inline std::uint64_t mix_two(std::uint64_t first,
                                                              std::uint64_t second) {
  return mix_in(mix_in(kMixStart, first), second);
}

}  // namespace convoy
