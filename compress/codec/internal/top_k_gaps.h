// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/host_device.h"

// One gap of a gap code (IndexFormat), on the CPU and in kernels.

namespace convoy::compress::internal {

/// The code word that means: there is more.
template <typename Word>
inline constexpr std::int64_t kEscape = static_cast<Word>(~Word{0});

/// How many escapes a gap takes, besides its last word.
template <typename Word>
[[nodiscard]] CONVOY_HOST_DEVICE std::int64_t escapes_of(std::int64_t gap) {
  return gap / kEscape<Word>;
}

/// Calls put(word) for each word of `gap`.
template <typename Word, typename Put>
CONVOY_HOST_DEVICE void put_gap(std::int64_t gap, Put put) {
  for (; gap >= kEscape<Word>; gap -= kEscape<Word>) put(static_cast<Word>(kEscape<Word>));
  put(static_cast<Word>(gap));
}

}  // namespace convoy::compress::internal
