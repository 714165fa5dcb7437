// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/internal/quantize_layout.h"

#include <spdlog/fmt/fmt.h>

#include "compress/codec/codec.h"

namespace convoy::compress::internal {

namespace {

constexpr char kTag = 'Q';

}  // namespace

void write_quantize_header(const QuantizeLayout& layout, Rounding rounding,
                           std::span<std::byte> out) {
  write_header({kTag, static_cast<std::uint8_t>(layout.bits), static_cast<std::uint8_t>(rounding),
                static_cast<std::uint32_t>(layout.group), layout.numel},
               out);
}

QuantizeLayout read_quantize_layout(std::span<const std::byte> start, std::size_t payload_bytes,
                                    std::size_t numel) {
  const PayloadHeader header = read_header(start, kTag, "quantize", numel);
  const QuantizeLayout layout{numel, header.third, header.first};
  if (layout.bits < 1 || layout.bits > kMostBits) {
    throw PayloadError(fmt::format("quantize payload: {} bits, expected 1 to 8", layout.bits));
  }
  if (header.second > 1) {
    throw PayloadError(fmt::format("quantize payload: rounding {}", header.second));
  }
  if (!is_group_size(layout.group)) {
    throw PayloadError(fmt::format("quantize payload: groups of {} values", layout.group));
  }
  check_payload_bytes("quantize", payload_bytes, layout.bytes());
  return layout;
}

}  // namespace convoy::compress::internal
