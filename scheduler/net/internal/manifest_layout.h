// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "scheduler/net/tensor_manifest.h"

namespace convoy::net::internal {

// Little-endian: magic[4] manifest bytes:u32 tensors:u32 data bytes:u64; of each tensor type:u8
// dimensions:u8 name bytes:u16 name, and each dimension as u64.
inline constexpr std::array<std::byte, 4> kManifestMagic{std::byte{0x43}, std::byte{0x56},
                                                         std::byte{0x54}, std::byte{0x4d}};
inline constexpr std::size_t kManifestSizeAt = 4;
inline constexpr std::size_t kTensorCountAt = 8;
inline constexpr std::size_t kDataBytesAt = 12;
inline constexpr std::size_t kEntryHeaderBytes = 4;

/// Nothing for a size below 0 or beyond 2^63.
[[nodiscard]] std::optional<std::int64_t> checked_bytes(const TensorEntry& tensor);
[[nodiscard]] std::optional<std::int64_t> checked_bytes(const TensorManifest& manifest);

}  // namespace convoy::net::internal
