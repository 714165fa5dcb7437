// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "comm/tcp/internal/descriptor.h"

namespace convoy::comm::tcp {

using Secret = std::array<std::uint8_t, 16>;

/// What a rank must know to connect to another one. It reaches the ranks of the job alone, so the
/// secret shows that a caller, or whoever answers, is one of them.
struct Offer {
  Secret secret{};
  std::uint16_t port = 0;
  std::string host;                    ///< its name
  std::vector<std::string> addresses;  ///< in digits; may be empty
};

/// Of equal size for every offer. Long names and further addresses are cut off.
inline constexpr std::size_t kOfferBytes = 512;
[[nodiscard]] std::vector<std::uint8_t> encode(const Offer& offer);
/// @throws TransportError for bytes that encode() does not make.
[[nodiscard]] Offer decode_offer(std::span<const std::uint8_t> bytes);

/// A socket that waits for connections on a port of the kernel's choice.
struct Listener {
  Descriptor socket;
  Offer offer;
};

/// @param network  as Options::network. @throws TransportError.
[[nodiscard]] Listener listen(const std::string& network);

}  // namespace convoy::comm::tcp
