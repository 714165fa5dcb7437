// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/frame_layout.h"

#include "base/hash.h"

namespace convoy::net::internal {

std::uint64_t body_check(std::span<const std::byte> body) { return hash64(body); }

std::uint32_t header_check(std::span<const std::byte> header) {
  return static_cast<std::uint32_t>(hash64(header.first(kHeaderCheckAt)));
}

}  // namespace convoy::net::internal
