// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "compress/codec/internal/magnitude_bin.h"
#include "compress/cuda/internal/kernel.h"

namespace convoy::compress::cuda {

/// Fills the bins of top_k's level table, of integers: whoever adds first, the sums are the CPU's.
/// One thread for each value.
struct CountBins {
  static constexpr int kPhases = 1;
  using Shared = NothingShared;

  DeviceSpan<const float> values;
  bool as_half;
  DeviceSpan<const std::uint32_t> largest;  ///< key of all values; for float16
  DeviceSpan<math::MagnitudeBin> bins;      ///< of kBins, beginning with zeros

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared&) const {
    if (at.index() >= values.size()) return;
    const float value = values[at.index()];
    math::MagnitudeBin& bin = bins[static_cast<std::int64_t>(math::bin_of(value))];
    const auto add = [](std::uint64_t& sum, std::uint64_t term) { atomic_add(sum, term); };
    math::add_value(bin, value, add);
    if (as_half) {
      math::add_rounding(bin, value, math::ScaledHalf::for_largest(largest[0]), add);
    }
  }
};

}  // namespace convoy::compress::cuda
