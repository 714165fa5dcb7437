// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "compress/codec/internal/elementwise.h"
#include "compress/codec/internal/grid.h"
#include "compress/codec/internal/quantize_layout.h"
#include "compress/cuda/internal/kernel.h"
#include "compress/cuda/internal/sink.h"

namespace convoy::compress::cuda {

/// Decodes the groups of a quantised payload, one block for each, neighbouring threads writing
/// neighbouring values. Adds to `bad` for each group whose scale is none, and leaves that one out.
struct DecodeGroups {
  static constexpr int kPhases = 1;
  using Shared = NothingShared;

  DeviceSpan<const std::byte> payload;
  math::QuantizeLayout layout;
  Sink sink;
  DeviceSpan<float> out;
  DeviceSpan<std::uint32_t> bad;

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared&) const {
    const auto index = static_cast<std::size_t>(at.block);
    const auto offset = static_cast<std::int64_t>(layout.offset(index));
    const auto grid = read_grid(offset);
    if (!math::is_valid(grid)) {
      if (at.thread == 0) atomic_add(bad[0], 1U);
      return;
    }
    const auto count = static_cast<std::int64_t>(layout.count(index));
    const auto values = out.part(at.block * static_cast<std::int64_t>(layout.group), count);
    const auto codes = payload.part(
        offset + kScaleBytes,
        static_cast<std::int64_t>(math::packed_bytes(layout.count(index), layout.bits)));
    for (std::int64_t i = at.thread; i < count; i += at.threads) {
      sink.put(values[i], value_of(code_at(codes, i), grid));
    }
  }

 private:
  static constexpr auto kScaleBytes = static_cast<std::int64_t>(math::QuantizeLayout::kScaleBytes);

  [[nodiscard]] CONVOY_HOST_DEVICE math::Grid read_grid(std::int64_t offset) const {
    return {load_at<float>(payload, offset),
            load_at<float>(payload, offset + static_cast<std::int64_t>(sizeof(float))),
            math::limit_of(layout.bits)};
  }

  [[nodiscard]] CONVOY_HOST_DEVICE std::uint8_t code_at(DeviceSpan<const std::byte> codes,
                                                        std::int64_t i) const {
    const std::int64_t bit = i * layout.bits;
    auto pair = std::to_integer<unsigned>(codes[bit / 8]);
    if (bit % 8 + layout.bits > 8) pair |= std::to_integer<unsigned>(codes[bit / 8 + 1]) << 8;
    return static_cast<std::uint8_t>((pair >> (bit % 8)) &
                                     static_cast<unsigned>(math::limit_of(layout.bits)));
  }

  [[nodiscard]] CONVOY_HOST_DEVICE static float value_of(std::uint8_t code,
                                                         const math::Grid& grid) {
    if (std::isnan(grid.min)) return math::quiet(grid.min);
    return math::value_at(code, grid);
  }
};

}  // namespace convoy::compress::cuda
