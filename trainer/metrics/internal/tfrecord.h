// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace convoy::trainer::internal {

/// CRC-32C (Castagnoli).
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes);

/// One record of a TFRecord file: length (uint64), masked CRC of the length, data, masked CRC of
/// the data; all little-endian. The mask rotates right by 15 bits and adds 0xa282ead8.
[[nodiscard]] std::string tfrecord(std::string_view data);

}  // namespace convoy::trainer::internal
