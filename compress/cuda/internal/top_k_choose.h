// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "compress/codec/internal/elementwise.h"
#include "compress/codec/internal/magnitude.h"
#include "compress/codec/internal/scaled_half.h"
#include "compress/codec/internal/top_k_cut.h"
#include "compress/codec/top_k_codec.h"
#include "compress/cuda/internal/tiles.h"

namespace convoy::compress::cuda {

/// Source (tiles.h) of the values that a cut leaves: writes their indices and, into the payload,
/// the values. Counts keys above the cut first and equal ones second; of these only the first few
/// are sent, so a value's place follows from both counts.
template <typename T>
struct ChosenValues {
  DeviceSpan<const T> values;
  DeviceSpan<const math::Cut> cut;
  DeviceSpan<std::int64_t> indices;
  TopKValues wire;
  DeviceSpan<const std::uint32_t> largest;  ///< key of all values; for float16
  DeviceSpan<std::byte> out;                ///< values on the wire, and more

  [[nodiscard]] CONVOY_HOST_DEVICE std::int64_t size() const { return values.size(); }

  [[nodiscard]] CONVOY_HOST_DEVICE Pair count(std::int64_t from, std::int64_t to) const {
    const std::uint32_t least = cut[0].key;
    Pair counts{0, 0};
    for (std::int64_t i = from; i < to; ++i) {
      const std::uint32_t key = math::key_of(values[i]);
      counts.first += key > least ? 1 : 0;
      counts.second += key == least ? 1 : 0;
    }
    return counts;
  }

  CONVOY_HOST_DEVICE void write(std::int64_t from, std::int64_t to, Pair before) const {
    const std::uint32_t least = cut[0].key;
    const auto equal = static_cast<std::uint64_t>(cut[0].equal);
    for (std::int64_t i = from; i < to; ++i) {
      const std::uint32_t key = math::key_of(values[i]);
      if (key > least || (key == least && before.second < equal)) {
        write_one(i, before.first + (before.second < equal ? before.second : equal));
      }
      before.first += key > least ? 1 : 0;
      before.second += key == least ? 1 : 0;
    }
  }

 private:
  CONVOY_HOST_DEVICE void write_one(std::int64_t index, std::uint64_t place) const {
    const auto at = static_cast<std::int64_t>(place);
    const float value = math::as_float(values[index]);
    indices[at] = index;
    if (wire == TopKValues::kFloat32) {
      store_at(out, at * static_cast<std::int64_t>(sizeof(float)), value);
    } else {
      const auto half = math::ScaledHalf::for_largest(largest[0]);
      store_at(out, at * static_cast<std::int64_t>(sizeof(Half)), half.narrow(value));
    }
  }
};

}  // namespace convoy::compress::cuda
