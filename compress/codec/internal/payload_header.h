// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace convoy::compress::internal {

static_assert(std::endian::native == std::endian::little, "payloads are copied as they lie");

/// The first 16 bytes of a payload, little-endian: family, version (1), two numbers of the family's
/// own, a third in 4 bytes, and the count of values in 8.
struct PayloadHeader {
  static constexpr std::size_t kBytes = 16;

  char family = 0;
  std::uint8_t first = 0;
  std::uint8_t second = 0;
  std::uint32_t third = 0;
  std::uint64_t numel = 0;
};

/// `out` holds at least kBytes.
void write_header(const PayloadHeader& header, std::span<std::byte> out);

/// @param family  the tag that must be there; `name` is how messages call it.
/// @param numel   the count that must be there.
/// @throws PayloadError if the payload is cut short, foreign, of another version or another count.
[[nodiscard]] PayloadHeader read_header(std::span<const std::byte> payload, char family,
                                        std::string_view name, std::size_t numel);

/// @throws PayloadError unless a payload has exactly the size that its header implies.
void check_payload_bytes(std::string_view name, std::size_t bytes, std::size_t implied);

/// A value of T from bytes that need no alignment. `from` must hold sizeof(T).
template <typename T>
[[nodiscard]] T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <typename T>
void store(const T& value, std::byte* to) {
  std::memcpy(to, &value, sizeof(T));
}

}  // namespace convoy::compress::internal
