// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace convoy {

/// 64-bit XXH3 of `bytes`. Fast (GB/s) and stable over machines; not cryptographic.
[[nodiscard]] std::uint64_t hash64(std::span<const std::byte> bytes, std::uint64_t seed = 0);

/// 16 lower-case hexadecimal digits.
[[nodiscard]] std::string to_hex(std::uint64_t value);
/// Two for each byte.
[[nodiscard]] std::string to_hex(std::span<const std::byte> bytes);

}  // namespace convoy
