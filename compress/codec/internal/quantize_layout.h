// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include "base/host_device.h"
#include "compress/codec/internal/bit_pack.h"
#include "compress/codec/internal/payload_header.h"
#include "compress/codec/internal/quantize_kernels.h"
#include "compress/codec/quantize_codec.h"

namespace convoy::compress::internal {

inline constexpr std::size_t kLargestGroup = std::size_t{1} << 20;
inline constexpr int kMostBits = 8;

[[nodiscard]] constexpr bool is_group_size(std::size_t group) {
  return group > 0 && group <= kLargestGroup && group % kBlock == 0;
}

/// Where things lie in the payload of a quantised layer: the header, then group after group its
/// min and step (float32 each) and its packed codes.
struct QuantizeLayout {
  static constexpr std::size_t kScaleBytes = 8;

  std::size_t numel = 0;
  std::size_t group = 0;
  int bits = 1;

  [[nodiscard]] CONVOY_HOST_DEVICE std::size_t groups() const {
    return numel / group + (numel % group != 0);
  }
  /// Values in group `index`.
  [[nodiscard]] CONVOY_HOST_DEVICE std::size_t count(std::size_t index) const {
    return index + 1 < groups() ? group : numel - index * group;
  }
  [[nodiscard]] CONVOY_HOST_DEVICE std::size_t offset(std::size_t index) const {
    return PayloadHeader::kBytes + index * (kScaleBytes + packed_bytes(group, bits));
  }
  [[nodiscard]] CONVOY_HOST_DEVICE std::size_t bytes() const {
    return PayloadHeader::kBytes + groups() * kScaleBytes + packed_bytes(numel, bits);
  }
};

/// `out` holds at least the header.
void write_quantize_header(const QuantizeLayout& layout, Rounding rounding,
                           std::span<std::byte> out);
/// What the header of a payload says, checked against the sizes at hand.
/// @param start          the beginning of the payload, as far as its header if it is as long.
/// @param payload_bytes  size of the whole.
/// @throws PayloadError
[[nodiscard]] QuantizeLayout read_quantize_layout(std::span<const std::byte> start,
                                                  std::size_t payload_bytes, std::size_t numel);

}  // namespace convoy::compress::internal
