// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "comm/internal/transport.h"

namespace convoy::comm::tcp {

/// What stands before everything on a connection; hosts of one byte order.
struct FrameHeader {
  enum class Kind : std::uint8_t {
    kData,   ///< a message; its bytes follow
    kGrant,  ///< "the next expected message of this route may come"; nothing follows
    kLeave,  ///< "I have left the communicator"; the reason follows
  };

  std::uint32_t magic = kMagic;
  Kind kind = Kind::kData;
  std::uint8_t channel = 0;
  std::uint16_t tag = 0;
  std::uint64_t bytes = 0;  ///< that follow

  static constexpr std::uint32_t kMagic = 0xC0270A1E;
};
static_assert(sizeof(FrameHeader) == 16, "no byte of a header may be undefined");

/// Messages up to here are taken out of the buffer that they arrive in, and kept where nobody waits
/// for them yet; longer ones go straight to their memory. Those that nobody expects are no longer.
inline constexpr std::size_t kShortBytes = std::size_t{16} << 10;
inline constexpr std::size_t kMaxMessageBytes = std::size_t{4} << 20;
inline constexpr std::size_t kMaxReasonBytes = 1024;
/// A peer may send so much that nobody has asked for; more is an error.
inline constexpr std::size_t kMaxEarlyBytes = std::size_t{64} << 20;

/// @throws internal::TransportError for what no rank sends. @param peer  who has sent it.
void check_frame(const FrameHeader& header, int peer);

}  // namespace convoy::comm::tcp
