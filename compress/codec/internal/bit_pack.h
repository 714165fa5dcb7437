// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/host_device.h"

namespace convoy::compress::internal {

/// Bytes of `count` packed codes of `bits` bits.
[[nodiscard]] CONVOY_HOST_DEVICE constexpr std::size_t packed_bytes(std::size_t count, int bits) {
  return (count / 8) * static_cast<std::size_t>(bits) +
         ((count % 8) * static_cast<std::size_t>(bits) + 7) / 8;
}

/// Packing as one little-endian stream of bits: code i takes the bits from i * bits on. Counts are
/// multiples of 64; the packed side has exactly packed_bytes().
struct BitPackKernels {
  /// Every code must be below 2^bits.
  void (*pack)(const std::uint8_t* codes, std::size_t count, std::byte* packed);
  void (*unpack)(const std::byte* packed, std::size_t count, std::uint8_t* codes);
};

/// For the CPU that runs; the same bytes on all. `bits` is 1..8.
[[nodiscard]] const BitPackKernels& bit_pack_kernels(int bits);

}  // namespace convoy::compress::internal
