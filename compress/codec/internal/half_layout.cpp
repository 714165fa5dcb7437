// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/internal/half_layout.h"

#include <spdlog/fmt/fmt.h>

#include "compress/codec/internal/payload_header.h"

namespace convoy::compress::internal {
namespace {

constexpr char kTag = 'H';

}  // namespace

std::size_t half_payload_bytes(std::size_t numel) {
  return PayloadHeader::kBytes + kHalfBytes * numel;
}

void write_half_header(HalfFormat format, std::size_t numel, std::span<std::byte> out) {
  write_header({kTag, static_cast<std::uint8_t>(format), 0, 0, numel}, out);
}

HalfFormat read_half_format(std::span<const std::byte> front, std::size_t payload_bytes,
                            std::size_t numel) {
  const PayloadHeader header = read_header(front, kTag, "half", numel);
  if (header.first > 1 || header.second != 0 || header.third != 0) {
    throw PayloadError(fmt::format("half payload: format {}, {}, {}; expected 0 or 1, 0, 0",
                                   header.first, header.second, header.third));
  }
  check_payload_bytes("half", payload_bytes, half_payload_bytes(numel));
  return static_cast<HalfFormat>(header.first);
}

}  // namespace convoy::compress::internal
