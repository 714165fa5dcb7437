// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <initializer_list>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "base/host_device.h"
#include "base/mix.h"

namespace convoy {

/// Folds a list of numbers into one well-mixed 64-bit key. Order matters. Streams of random numbers
/// are named by such keys, e.g. `mix({seed, kShuffle, epoch})`, so that a stream never depends on
/// how many numbers another one has drawn.
[[nodiscard]] std::uint64_t mix(std::initializer_list<std::uint64_t> words);

/// xoshiro256** (Blackman and Vigna, arXiv:1805.01407), seeded by splitmix64 from one key. The same
/// key gives the same numbers on every machine, which the std distributions do not promise.
/// Satisfies UniformRandomBitGenerator. What CONVOY_HOST_DEVICE stands before is for kernels too.
class Random {
 public:
  using result_type = std::uint64_t;

  CONVOY_HOST_DEVICE explicit Random(std::uint64_t key)
      : state_{splitmix64(key), splitmix64(key), splitmix64(key), splitmix64(key)} {}
  Random(std::initializer_list<std::uint64_t> words) : Random(mix(words)) {}

  static constexpr std::uint64_t min() { return 0; }
  static constexpr std::uint64_t max() { return ~std::uint64_t{0}; }
  CONVOY_HOST_DEVICE std::uint64_t operator()() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// Uniform integer in [0, bound), without bias. `bound` must be positive.
  std::uint64_t below(std::uint64_t bound);
  /// Uniform double in [0, 1) with 53 random bits.
  CONVOY_HOST_DEVICE double uniform() { return static_cast<double>((*this)() >> 11) * 0x1.0p-53; }
  /// Standard normal (Box-Muller, one of the pair).
  double normal();

 private:
  std::array<std::uint64_t, 4> state_;
};

/// Fisher-Yates shuffle in place; the same permutation for the same generator state everywhere.
template <typename T>
void shuffle(std::span<T> items, Random& random) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
}

/// A random order of 0..count-1.
[[nodiscard]] inline std::vector<std::int64_t> permutation(std::int64_t count, Random& random) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  shuffle(std::span(order), random);
  return order;
}

}  // namespace convoy
