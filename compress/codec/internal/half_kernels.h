// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "compress/codec/half_codec.h"

namespace convoy::compress::internal {

/// The loops between float32 and one 16-bit format, compiled for every SIMD target. The wire side
/// needs no alignment.
struct HalfKernels {
  /// Finite values beyond the range become the largest.
  void (*to_wire)(const float* values, std::size_t count, std::byte* wire);
  void (*from_wire)(const std::byte* wire, std::size_t count, float* out);
  /// out[i] += scale * value i
  void (*add_from_wire)(const std::byte* wire, std::size_t count, float scale, float* out);
  /// Finite values beyond the range.
  std::int64_t (*count_saturated)(const float* values, std::size_t count);
};

/// For the CPU that runs; the same bits on all.
[[nodiscard]] const HalfKernels& half_kernels(HalfFormat format);

}  // namespace convoy::compress::internal
