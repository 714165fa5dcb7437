// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "compress/codec/internal/top_k_layout.h"
#include "compress/cuda/internal/runner_steps.h"
#include "compress/cuda/internal/top_k_choose.h"
#include "compress/cuda/internal/top_k_cut_kernels.h"
#include "compress/cuda/internal/top_k_write_indices.h"

namespace convoy::compress::cuda {

/// Blocks of kernels that look at all values and end with a sum for each block.
inline constexpr std::int64_t kMostSummingBlocks = 1024;

[[nodiscard]] inline std::int64_t summing_blocks(std::int64_t numel) {
  return std::min(blocks_for(numel, kThreads * kItems), kMostSummingBlocks);
}

/// Encodes by the kernels of a Runner (runner_steps.h): the cut by radix search, the chosen values
/// and indices in their order, then the smallest form of the indices. Waits once, for its size.
template <typename Runner>
class TopKEncoder {
 public:
  explicit TopKEncoder(TopKValues wire) : wire_(wire) {}

  /// Returns the bytes used.
  template <typename T>
  std::size_t encode(Runner& runner, DeviceSpan<const T> values, std::int64_t k,
                     DeviceSpan<std::byte> out) {
    indices_of_ = indices_.at_least(k);
    const auto largest = largest_key(runner, values);
    if (k > 0) choose(runner, values, k, largest, out);
    const math::IndexSize size = smallest_format(runner, values.size(), k);
    const int exponent = wire_ == TopKValues::kFloat32
                             ? 0
                             : math::ScaledHalf::for_largest(runner.to_host(largest)[0]).exponent();
    std::vector<std::byte> header(math::kTopKValuesOffset);
    math::write_top_k_header({size.format, wire_, exponent, values.size(), k}, header);
    store_front(runner, header, out);
    const auto first = static_cast<std::int64_t>(math::bytes_without_indices(wire_, k));
    write_indices(runner, size.format, out.part(first, static_cast<std::int64_t>(size.bytes)));
    return static_cast<std::size_t>(first) + size.bytes;
  }

  /// The largest key of `values`, if the wire's format asks for it.
  template <typename T>
  DeviceSpan<std::uint32_t> largest_key(Runner& runner, DeviceSpan<const T> values) {
    const DeviceSpan<std::uint32_t> largest = largest_.at_least(1);
    runner.fill_zero(largest);
    if (wire_ == TopKValues::kFloat16) {
      const std::int64_t blocks = summing_blocks(values.size());
      runner.launch(LargestKey<T>{values, blocks, largest}, blocks, kThreads);
    }
    return largest;
  }

 private:
  template <typename T>
  DeviceSpan<math::Cut> find_cut(Runner& runner, DeviceSpan<const T> values, std::int64_t k) {
    const auto cut = cut_.at_least(1);
    const math::Cut start{0, k};
    store_front(runner, std::as_bytes(std::span(&start, 1)),
                {reinterpret_cast<std::byte*>(cut.data()), sizeof start});
    const auto counts = counts_.at_least(kMostDigits);
    const std::int64_t blocks = summing_blocks(values.size());
    int shift = math::kKeyBits;
    for (const int width : math::kDigitWidths) {
      const Digit digit{shift -= width, width};
      runner.fill_zero(counts);
      runner.launch(CountDigits<T>{values, cut, digit, blocks, counts}, blocks, kThreads);
      runner.launch(PickDigit{digit, counts, cut}, 1, PickDigit::kPickThreads);
    }
    return cut;
  }

  template <typename T>
  void choose(Runner& runner, DeviceSpan<const T> values, std::int64_t k,
              DeviceSpan<const std::uint32_t> largest, DeviceSpan<std::byte> out) {
    const auto cut = find_cut(runner, values, k);
    const auto from = static_cast<std::int64_t>(math::kTopKValuesOffset);
    const auto bytes = static_cast<std::int64_t>(math::bytes_without_indices(wire_, k)) - from;
    const ChosenValues<T> chosen{values, cut, indices_of_, wire_, largest, out.part(from, bytes)};
    const auto tiles = tiles_.at_least(blocks_for(values.size(), kTile) + 1);
    count_and_scan(runner, chosen, tiles);
    write_tiles(runner, chosen, tiles);
  }

  math::IndexSize smallest_format(Runner& runner, std::int64_t numel, std::int64_t k) {
    const auto tiles = tiles_of_gaps();
    count_and_scan(runner, Gaps<std::uint8_t>{indices_of_, {}}, tiles);
    const Pair escapes = runner.to_host(tiles.part(tiles.size() - 1, 1)).front();
    return math::smallest_format(static_cast<std::int64_t>(escapes.first),
                                 static_cast<std::int64_t>(escapes.second), numel, k);
  }

  void write_indices(Runner& runner, math::IndexFormat format, DeviceSpan<std::byte> out) {
    switch (format) {
      case math::IndexFormat::kGaps8:
        return write_tiles(runner, Gaps<std::uint8_t>{indices_of_, out}, scanned_);
      case math::IndexFormat::kGaps16:
        return write_tiles(runner, Gaps<std::uint16_t>{indices_of_, out}, scanned_);
      case math::IndexFormat::kBitmap:
        return runner.launch(WriteBitmap{indices_of_, out}, blocks_for(out.size(), kThreads),
                             kThreads);
      case math::IndexFormat::kAbsolute:
        return runner.launch(WriteAbsolute{indices_of_, out},
                             blocks_for(indices_of_.size(), kThreads), kThreads);
    }
  }

  DeviceSpan<Pair> tiles_of_gaps() {
    return scanned_ = tiles_.at_least(blocks_for(indices_of_.size(), kTile) + 1);
  }

  TopKValues wire_;
  DeviceSpan<std::int64_t> indices_of_;  ///< those of the payload that is being made
  DeviceSpan<Pair> scanned_;             ///< escapes before each tile of its gaps
  typename Runner::template Buffer<std::int64_t> indices_;
  typename Runner::template Buffer<std::uint32_t> largest_;
  typename Runner::template Buffer<std::uint64_t> counts_;
  typename Runner::template Buffer<math::Cut> cut_;
  typename Runner::template Buffer<Pair> tiles_;
};

}  // namespace convoy::compress::cuda
