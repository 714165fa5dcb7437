// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "compress/codec/internal/top_k_gaps.h"
#include "compress/cuda/internal/tiles.h"

// Ascending indices, in the forms of top_k_indices.h.

namespace convoy::compress::cuda {

/// Number of indices left out before the one at `i`.
[[nodiscard]] CONVOY_HOST_DEVICE inline std::int64_t gap_before(
    DeviceSpan<const std::int64_t> indices, std::int64_t i) {
  return indices[i] - (i == 0 ? 0 : indices[i - 1] + 1);
}

/// Source (tiles.h) of gap codes: counts the escapes of 8-bit gaps first and of 16-bit gaps second;
/// writes one of the two.
template <typename Word>
struct Gaps {
  DeviceSpan<const std::int64_t> indices;
  DeviceSpan<std::byte> out;

  [[nodiscard]] CONVOY_HOST_DEVICE std::int64_t size() const { return indices.size(); }

  [[nodiscard]] CONVOY_HOST_DEVICE Pair count(std::int64_t from, std::int64_t to) const {
    Pair escapes{0, 0};
    for (std::int64_t i = from; i < to; ++i) {
      const std::int64_t gap = gap_before(indices, i);
      escapes.first += static_cast<std::uint64_t>(math::escapes_of<std::uint8_t>(gap));
      escapes.second += static_cast<std::uint64_t>(math::escapes_of<std::uint16_t>(gap));
    }
    return escapes;
  }

  CONVOY_HOST_DEVICE void write(std::int64_t from, std::int64_t to, Pair before) const {
    const std::uint64_t escapes = sizeof(Word) == 1 ? before.first : before.second;
    std::int64_t place = from + static_cast<std::int64_t>(escapes);
    for (std::int64_t i = from; i < to; ++i) {
      math::put_gap<Word>(gap_before(indices, i), [&](Word word) {
        store_at(out, place * static_cast<std::int64_t>(sizeof(Word)), word);
        ++place;
      });
    }
  }
};

/// One thread for each byte of the bitmap, so that none is shared: it looks up its first index.
struct WriteBitmap {
  static constexpr int kPhases = 1;
  using Shared = NothingShared;

  DeviceSpan<const std::int64_t> indices;
  DeviceSpan<std::byte> out;

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared&) const {
    if (at.index() >= out.size()) return;
    const std::int64_t first = 8 * at.index();
    unsigned byte = 0;
    for (std::int64_t i = first_from(first); i < indices.size() && indices[i] < first + 8; ++i) {
      byte |= 1U << (indices[i] - first);
    }
    out[at.index()] = static_cast<std::byte>(byte);
  }

 private:
  /// The place of the first index that is at least `least`.
  [[nodiscard]] CONVOY_HOST_DEVICE std::int64_t first_from(std::int64_t least) const {
    std::int64_t low = 0;
    std::int64_t high = indices.size();
    while (low < high) {
      const std::int64_t middle = low + (high - low) / 2;
      if (indices[middle] < least) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
};

/// One thread for each index.
struct WriteAbsolute {
  static constexpr int kPhases = 1;
  using Shared = NothingShared;

  DeviceSpan<const std::int64_t> indices;
  DeviceSpan<std::byte> out;

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared&) const {
    const std::int64_t i = at.index();
    if (i >= indices.size()) return;
    store_at(out, i * static_cast<std::int64_t>(sizeof(std::uint32_t)),
             static_cast<std::uint32_t>(indices[i]));
  }
};

}  // namespace convoy::compress::cuda
