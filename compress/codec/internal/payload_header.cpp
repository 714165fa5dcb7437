// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/internal/payload_header.h"

#include <spdlog/fmt/fmt.h>

#include "compress/codec/codec.h"

namespace convoy::compress::internal {
namespace {

constexpr std::uint8_t kVersion = 1;

void check(bool ok, const std::string& message) {
  if (!ok) throw PayloadError(message);
}

}  // namespace

void write_header(const PayloadHeader& header, std::span<std::byte> out) {
  store(header.family, &out[0]);
  store(kVersion, &out[1]);
  store(header.first, &out[2]);
  store(header.second, &out[3]);
  store(header.third, &out[4]);
  store(header.numel, &out[8]);
}

PayloadHeader read_header(std::span<const std::byte> payload, char family, std::string_view name,
                          std::size_t numel) {
  check(payload.size() >= PayloadHeader::kBytes,
        fmt::format("{} payload: {} bytes, shorter than its header of {}", name, payload.size(),
                    PayloadHeader::kBytes));
  const auto tag = load<std::uint8_t>(&payload[0]);
  const auto version = load<std::uint8_t>(&payload[1]);
  check(tag == static_cast<std::uint8_t>(family),
        fmt::format("{} payload: starts with {:#04x}, expected '{}'", name, tag, family));
  check(version == kVersion,
        fmt::format("{} payload: version {}, this program reads {}", name, version, kVersion));
  const PayloadHeader header{family, load<std::uint8_t>(&payload[2]),
                             load<std::uint8_t>(&payload[3]), load<std::uint32_t>(&payload[4]),
                             load<std::uint64_t>(&payload[8])};
  check(header.numel == numel,
        fmt::format("{} payload: holds {} values, {} were expected", name, header.numel, numel));
  return header;
}

void check_payload_bytes(std::string_view name, std::size_t bytes, std::size_t implied) {
  check(bytes == implied,
        fmt::format("{} payload: {} bytes, its header implies {}", name, bytes, implied));
}

}  // namespace convoy::compress::internal
