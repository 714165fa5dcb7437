// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "compress/codec/internal/bit_pack.h"
#include "compress/codec/internal/grid.h"
#include "compress/codec/internal/group_reader.h"
#include "compress/codec/internal/quantize_kernels.h"
#include "compress/codec/internal/quantize_layout.h"
#include "compress/codec/quantize_codec.h"

// One group of a quantised payload: the fast kernels where float32 suffices, float64 elsewhere.

namespace convoy::compress::internal {

[[nodiscard]] Range range_of(const GroupView& view);

/// Squared error of the values of `view` on `grid`; with stochastic rounding its mean over seeds.
/// The padding of `view` must hold the minimum of the group.
[[nodiscard]] double squared_error(const GroupView& view, const Grid& grid, Rounding rounding);

/// Writes groups; keeps buffers between them.
class GroupEncoder {
 public:
  GroupEncoder(const QuantizeLayout& layout, Rounding rounding);
  /// @param key  names the random numbers of the group.
  /// @param out  scale and packed codes of the group.
  void encode(const GroupView& view, std::uint64_t key, std::byte* out);

 private:
  void fill_codes(const GroupView& view, const Grid& grid, GroupKey key);

  int bits_;
  Rounding rounding_;
  const QuantizeKernels& kernels_;
  const BitPackKernels& packing_;
  std::vector<std::uint8_t> codes_;
  std::vector<std::byte> staging_;  ///< packed codes of a short group with their padding
};

/// Reads groups; keeps buffers between them.
class GroupDecoder {
 public:
  explicit GroupDecoder(const QuantizeLayout& layout);
  /// @param packed  the codes of one group of out.size() values.
  void decode(const std::byte* packed, const Grid& grid, std::span<float> out);
  void add(const std::byte* packed, const Grid& grid, float scale, std::span<float> out);

 private:
  /// Returns the number of codes with padding.
  std::size_t unpack(const std::byte* packed, std::size_t count);
  /// The values of the codes, with padding.
  const float* stage_values(const Grid& grid, std::size_t padded);

  int bits_;
  const QuantizeKernels& kernels_;
  const BitPackKernels& packing_;
  std::vector<std::uint8_t> codes_;
  std::vector<std::byte> staging_;
  std::vector<float> values_;
};

}  // namespace convoy::compress::internal
