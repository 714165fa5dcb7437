// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "compress/codec/internal/elementwise.h"
#include "compress/codec/internal/scaled_half.h"
#include "compress/codec/internal/top_k_gaps.h"
#include "compress/codec/top_k_codec.h"
#include "compress/cuda/internal/sink.h"
#include "compress/cuda/internal/tiles.h"

// Reads indices in the forms of top_k_indices.h and puts the values of a payload where they belong.
// Nothing in it is believed: what would lie outside is left out and counted in `bad`.

namespace convoy::compress::cuda {

/// The values of a payload and where they go.
struct Scatter {
  DeviceSpan<const std::byte> values;  ///< exactly those of k values
  std::int64_t k;
  TopKValues wire;
  int exponent;
  Sink sink;
  DeviceSpan<float> out;
  DeviceSpan<std::uint32_t> bad;

  CONVOY_HOST_DEVICE void complain() const { atomic_add(bad[0], 1U); }

  /// Value number `place` belongs to `index`.
  CONVOY_HOST_DEVICE void put(std::uint64_t place, std::uint64_t index) const {
    if (place >= static_cast<std::uint64_t>(k) || index >= static_cast<std::uint64_t>(out.size())) {
      return complain();
    }
    sink.put(out[static_cast<std::int64_t>(index)], value(static_cast<std::int64_t>(place)));
  }

  /// To be called once, with the number of indices that there are.
  CONVOY_HOST_DEVICE void finish(std::uint64_t places) const {
    if (places != static_cast<std::uint64_t>(k)) complain();
  }

 private:
  [[nodiscard]] CONVOY_HOST_DEVICE float value(std::int64_t place) const {
    if (wire == TopKValues::kFloat32) {
      return load_at<float>(values, place * static_cast<std::int64_t>(sizeof(float)));
    }
    const Half half = load_at<Half>(values, place * static_cast<std::int64_t>(sizeof(Half)));
    return math::ScaledHalf(exponent).widen(half);
  }
};

/// Source (tiles.h) of the words of a gap code: sums the words first and counts gaps second.
template <typename Word>
struct GapWords {
  DeviceSpan<const std::byte> words;
  Scatter scatter;

  [[nodiscard]] CONVOY_HOST_DEVICE std::int64_t size() const {
    return words.size() / static_cast<std::int64_t>(sizeof(Word));
  }

  [[nodiscard]] CONVOY_HOST_DEVICE Pair count(std::int64_t from, std::int64_t to) const {
    Pair counts{0, 0};
    for (std::int64_t i = from; i < to; ++i) {
      counts.first += word(i);
      counts.second += is_escape(i) ? 0 : 1;
    }
    return counts;
  }

  CONVOY_HOST_DEVICE void write(std::int64_t from, std::int64_t to, Pair before) const {
    for (std::int64_t i = from; i < to; ++i) {
      before.first += word(i);
      if (is_escape(i)) continue;
      scatter.put(before.second, before.first + before.second);
      ++before.second;
    }
    if (from == to || to != size()) return;
    scatter.finish(before.second);
    if (is_escape(to - 1)) scatter.complain();
  }

 private:
  [[nodiscard]] CONVOY_HOST_DEVICE Word word(std::int64_t i) const {
    return load_at<Word>(words, i * static_cast<std::int64_t>(sizeof(Word)));
  }
  [[nodiscard]] CONVOY_HOST_DEVICE bool is_escape(std::int64_t i) const {
    return word(i) == math::kEscape<Word>;
  }
};

/// Source (tiles.h) of the bytes of a bitmap: counts their bits first, and nothing second.
struct BitmapBytes {
  DeviceSpan<const std::byte> bytes;
  Scatter scatter;

  [[nodiscard]] CONVOY_HOST_DEVICE std::int64_t size() const { return bytes.size(); }

  [[nodiscard]] CONVOY_HOST_DEVICE Pair count(std::int64_t from, std::int64_t to) const {
    Pair counts{0, 0};
    for (std::int64_t i = from; i < to; ++i) {
      for (auto left = std::to_integer<unsigned>(bytes[i]); left != 0; left &= left - 1) {
        ++counts.first;
      }
    }
    return counts;
  }

  CONVOY_HOST_DEVICE void write(std::int64_t from, std::int64_t to, Pair before) const {
    for (std::int64_t i = from; i < to; ++i) {
      const auto byte = std::to_integer<unsigned>(bytes[i]);
      for (unsigned bit = 0; bit < 8; ++bit) {
        if ((byte >> bit & 1U) != 0) {
          scatter.put(before.first++, 8 * static_cast<std::uint64_t>(i) + bit);
        }
      }
    }
    if (from != to && to == size()) scatter.finish(before.first);
  }
};

/// One thread for each 32-bit index.
struct ScatterAbsolute {
  static constexpr int kPhases = 1;
  using Shared = NothingShared;

  DeviceSpan<const std::byte> indices;
  Scatter scatter;

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared&) const {
    const std::int64_t i = at.index();
    if (i >= scatter.k) return;
    if (i > 0 && index(i - 1) >= index(i)) return scatter.complain();
    scatter.put(static_cast<std::uint64_t>(i), index(i));
  }

 private:
  [[nodiscard]] CONVOY_HOST_DEVICE std::uint32_t index(std::int64_t i) const {
    return load_at<std::uint32_t>(indices, i * static_cast<std::int64_t>(sizeof(std::uint32_t)));
  }
};

}  // namespace convoy::compress::cuda
