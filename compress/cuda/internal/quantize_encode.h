// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/mix.h"
#include "compress/codec/internal/grid_float.h"
#include "compress/codec/internal/quantize_layout.h"
#include "compress/codec/quantize_codec.h"
#include "compress/cuda/internal/group_range.h"

namespace convoy::compress::cuda {

/// The code of a value of one group, chosen as GroupEncoder does.
class Coder {
 public:
  CONVOY_HOST_DEVICE Coder(const math::Grid& grid, Rounding rounding, std::uint64_t key)
      : grid_(grid),
        inverse_(math::inverse_step(grid.step)),
        in_float_(math::encodes_in_float(grid)),
        nearest_(rounding == Rounding::kNearest),
        key_{static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)} {}

  /// @param index  of the value in its group.
  [[nodiscard]] CONVOY_HOST_DEVICE std::uint8_t code(float value, std::int64_t index) const {
    if (grid_.step == 0.0F) return 0;
    if (nearest_) {
      return in_float_ ? math::nearest_code(math::float_place(value, grid_, inverse_))
                       : math::exact_nearest_code(value, grid_);
    }
    const std::uint32_t random = math::random_at(key_, static_cast<std::uint32_t>(index));
    if (!in_float_) return math::exact_stochastic_code(value, grid_, random);
    const float place = math::float_place(value, grid_, inverse_);
    return math::stochastic_code(math::fixed_place(place, grid_.limit), random);
  }

 private:
  math::Grid grid_;
  float inverse_;
  bool in_float_;
  bool nearest_;
  math::GroupKey key_;
};

/// Writes the groups of a quantised payload, one block for each. Eight codes at a time make a whole
/// number of bytes, so threads never share one.
template <typename T>
struct EncodeGroups {
  static constexpr int kPhases = 4;
  struct Shared {
    RangeShared range;
    math::Grid grid;
  };

  DeviceSpan<const T> values;
  math::QuantizeLayout layout;
  Rounding rounding;
  std::uint64_t seed;
  DeviceSpan<std::byte> out;

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared& shared) const {
    find_own_range(at, group(at), shared.range);
  }

  CONVOY_HOST_DEVICE void operator()(Phase<1>, ThreadAt at, Shared& shared) const {
    join_ranges(at, shared.range);
  }

  CONVOY_HOST_DEVICE void operator()(Phase<2>, ThreadAt at, Shared& shared) const {
    if (at.thread != 0) return;
    const auto grid = math::make_grid(joined_range(at, shared.range), math::limit_of(layout.bits));
    shared.grid = grid;
    store_at(out, offset(at), grid.min);
    store_at(out, offset(at) + static_cast<std::int64_t>(sizeof(float)), grid.step);
  }

  CONVOY_HOST_DEVICE void operator()(Phase<3>, ThreadAt at, Shared& shared) const {
    const auto own = group(at);
    const Coder coder(shared.grid, rounding, mix_two(seed, static_cast<std::uint64_t>(at.block)));
    const std::int64_t packed =
        offset(at) + static_cast<std::int64_t>(math::QuantizeLayout::kScaleBytes);
    for (std::int64_t first = 8 * at.thread; first < own.size(); first += 8 * at.threads) {
      const std::int64_t left = own.size() - first;
      const auto eight = own.part(first, left < 8 ? left : 8);
      write_codes(coder, eight, first, packed + first / 8 * layout.bits);
    }
  }

 private:
  [[nodiscard]] CONVOY_HOST_DEVICE DeviceSpan<const T> group(ThreadAt at) const {
    const auto index = static_cast<std::size_t>(at.block);
    return values.part(at.block * static_cast<std::int64_t>(layout.group),
                       static_cast<std::int64_t>(layout.count(index)));
  }

  [[nodiscard]] CONVOY_HOST_DEVICE std::int64_t offset(ThreadAt at) const {
    return static_cast<std::int64_t>(layout.offset(static_cast<std::size_t>(at.block)));
  }

  CONVOY_HOST_DEVICE void write_codes(const Coder& coder, DeviceSpan<const T> eight,
                                      std::int64_t first, std::int64_t to) const {
    std::uint64_t word = 0;
    for (std::int64_t i = 0; i < eight.size(); ++i) {
      const float value = math::as_float(eight[i]);
      word |= static_cast<std::uint64_t>(coder.code(value, first + i)) << (i * layout.bits);
    }
    const auto bytes = static_cast<std::int64_t>(
        math::packed_bytes(static_cast<std::size_t>(eight.size()), layout.bits));
    for (std::int64_t i = 0; i < bytes; ++i) out[to + i] = static_cast<std::byte>(word >> (8 * i));
  }
};

}  // namespace convoy::compress::cuda
