// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "compress/codec/internal/elementwise.h"
#include "compress/codec/internal/magnitude.h"
#include "compress/codec/internal/top_k_cut.h"
#include "compress/cuda/internal/kernel.h"

// The radix search for the cut: three times CountDigits over the values and PickDigit.

namespace convoy::compress::cuda {

/// Possible values of the widest digit.
inline constexpr int kMostDigits = 1 << math::kDigitWidths[0];

/// The digit that is being looked for.
struct Digit {
  int shift;
  int width;
};

/// Counts how often each digit occurs among the keys whose higher bits are those of the cut so far:
/// first for each block, then for all. Any number of blocks.
template <typename T>
struct CountDigits {
  static constexpr int kPhases = 3;
  struct Shared {
    std::uint32_t counts[kMostDigits];
  };

  DeviceSpan<const T> values;
  DeviceSpan<const math::Cut> cut;
  Digit digit;
  std::int64_t blocks;
  DeviceSpan<std::uint64_t> counts;  ///< of kMostDigits

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared& shared) const {
    for (int i = at.thread; i < kMostDigits; i += at.threads) shared.counts[i] = 0;
  }

  CONVOY_HOST_DEVICE void operator()(Phase<1>, ThreadAt at, Shared& shared) const {
    const std::uint32_t prefix = cut[0].key;
    const std::uint32_t mask = (1U << digit.width) - 1;
    for (std::int64_t i = at.index(); i < values.size(); i += blocks * at.threads) {
      const std::uint32_t key = math::key_of(values[i]) >> digit.shift;
      if (key >> digit.width == prefix) atomic_add(shared.counts[key & mask], 1U);
    }
  }

  CONVOY_HOST_DEVICE void operator()(Phase<2>, ThreadAt at, Shared& shared) const {
    for (int i = at.thread; i < kMostDigits; i += at.threads) {
      if (shared.counts[i] != 0) atomic_add(counts[i], std::uint64_t{shared.counts[i]});
    }
  }
};

/// Appends to the cut's key the digit in which it lies. One block.
struct PickDigit {
  static constexpr int kPhases = 2;
  static constexpr int kPickThreads = 64;
  struct Shared {
    std::uint64_t counts[kPickThreads];  ///< of neighbouring digits
  };

  Digit digit;
  DeviceSpan<const std::uint64_t> counts;
  DeviceSpan<math::Cut> cut;

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared& shared) const {
    const int each = (1 << digit.width) / at.threads;
    std::uint64_t sum = 0;
    for (int i = at.thread * each; i < (at.thread + 1) * each; ++i) sum += counts[i];
    shared.counts[at.thread] = sum;
  }

  CONVOY_HOST_DEVICE void operator()(Phase<1>, ThreadAt at, Shared& shared) const {
    if (at.thread != 0) return;
    const auto each = (1U << digit.width) / static_cast<std::uint32_t>(at.threads);
    const auto last = static_cast<std::uint32_t>(at.threads - 1);
    const std::uint32_t many = math::digit_of_cut(shared.counts, last, cut[0].equal);
    const std::uint32_t one =
        math::digit_of_cut(counts.part(many * each, each).data(), each - 1, cut[0].equal);
    cut[0].key = cut[0].key << digit.width | (many * each + one);
  }
};

/// largest = the largest key of all values, as floats. Any number of blocks; begins from 0.
template <typename T>
struct LargestKey {
  static constexpr int kPhases = 3;
  struct Shared {
    std::uint32_t largest;
  };

  DeviceSpan<const T> values;
  std::int64_t blocks;
  DeviceSpan<std::uint32_t> largest;

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared& shared) const {
    if (at.thread == 0) shared.largest = 0;
  }

  CONVOY_HOST_DEVICE void operator()(Phase<1>, ThreadAt at, Shared& shared) const {
    std::uint32_t own = 0;
    for (std::int64_t i = at.index(); i < values.size(); i += blocks * at.threads) {
      const std::uint32_t key = math::key_of(math::as_float(values[i]));
      if (key > own) own = key;
    }
    atomic_max(shared.largest, own);
  }

  CONVOY_HOST_DEVICE void operator()(Phase<2>, ThreadAt at, Shared& shared) const {
    if (at.thread == 0) atomic_max(largest[0], shared.largest);
  }
};

}  // namespace convoy::compress::cuda
