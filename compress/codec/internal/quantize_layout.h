// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include "compress/codec/internal/bit_pack.h"
#include "compress/codec/internal/payload_header.h"

namespace convoy::compress::internal {

inline constexpr char kQuantizeTag = 'Q';
inline constexpr std::size_t kLargestGroup = std::size_t{1} << 20;
inline constexpr int kMostBits = 8;

/// Where things lie in the payload of a quantised layer: the header, then group after group its
/// min and step (float32 each) and its packed codes.
struct QuantizeLayout {
  static constexpr std::size_t kScaleBytes = 8;

  std::size_t numel = 0;
  std::size_t group = 0;
  int bits = 1;

  [[nodiscard]] std::size_t groups() const { return numel / group + (numel % group != 0); }
  /// Values in group `index`.
  [[nodiscard]] std::size_t count(std::size_t index) const {
    return index + 1 < groups() ? group : numel - index * group;
  }
  [[nodiscard]] std::size_t offset(std::size_t index) const {
    return PayloadHeader::kBytes + index * (kScaleBytes + packed_bytes(group, bits));
  }
  [[nodiscard]] std::size_t bytes() const {
    return PayloadHeader::kBytes + groups() * kScaleBytes + packed_bytes(numel, bits);
  }
};

}  // namespace convoy::compress::internal
