// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/host_device.h"

// The radix search for the smallest key that is sent, on the CPU and in kernels.

namespace convoy::compress::internal {

/// Where the chosen ones end: all keys above `key`, and the first `equal` of those that have it.
struct Cut {
  std::uint32_t key = 0;
  std::int64_t equal = 0;
};

/// Bits of the digits of a key, from the top.
inline constexpr int kDigitWidths[] = {11, 10, 10};

/// The digit that the cut's key has, when `digit` is the largest and `equal` keys, counted from the
/// largest down, are wanted. Leaves in `equal` what is wanted of those with this digit.
/// @param counts  how many keys have each digit; in all at least `equal`.
template <typename Count>
[[nodiscard]] CONVOY_HOST_DEVICE std::uint32_t digit_of_cut(const Count* counts,
                                                            std::uint32_t digit,
                                                            std::int64_t& equal) {
  for (; static_cast<std::int64_t>(counts[digit]) < equal; --digit) {
    equal -= static_cast<std::int64_t>(counts[digit]);
  }
  return digit;
}

}  // namespace convoy::compress::internal
