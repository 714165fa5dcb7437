// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <span>

namespace convoy::net::internal {

/// Writes `value` at the front of `bytes`, which must have room.
template <std::unsigned_integral T>
void put(T value, std::span<std::byte> bytes) {
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes[i] = static_cast<std::byte>(value >> (8 * i));
}

/// What stands at the front of `bytes`, which must be long enough.
template <std::unsigned_integral T>
[[nodiscard]] T get(std::span<const std::byte> bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value | static_cast<T>(static_cast<T>(bytes[i]) << (8 * i)));
  }
  return value;
}

}  // namespace convoy::net::internal
