// SPDX-License-Identifier: Apache-2.0
#include "compress/update/internal/byte_stream.h"

#include <bit>
#include <string>

#include "compress/codec/codec.h"

namespace convoy::compress::internal {

static_assert(std::endian::native == std::endian::little);

std::span<const std::byte> ByteReader::take(std::size_t size) {
  if (size > rest_.size()) {
    throw PayloadError("the update ends after " + std::to_string(rest_.size()) + " of " +
                       std::to_string(size) + " bytes");
  }
  const auto bytes = rest_.first(size);
  rest_ = rest_.subspan(size);
  return bytes;
}

}  // namespace convoy::compress::internal
