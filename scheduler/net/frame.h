// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "scheduler/net/message_type.h"

namespace convoy::net {

/// Bytes before a frame's body; docs/protocol.md has the table.
inline constexpr std::size_t kFrameHeaderBytes = 40;
/// Of a stream that one chunk may hold.
inline constexpr std::size_t kMaxChunkBytes = std::size_t{1} << 20;
/// Before a chunk's bytes: stream and offset.
inline constexpr std::size_t kChunkHeaderBytes = 16;

/// The largest bodies that one end takes. Larger ones are refused before they are received.
struct FrameLimits {
  /// Of every message but chunks, unknown ones too. A larger value lets a peer occupy more memory.
  std::size_t control_bytes = std::size_t{64} << 10;
  /// Of a chunk, without its 16 bytes of header; at most kMaxChunkBytes.
  std::size_t chunk_bytes = kMaxChunkBytes;

  [[nodiscard]] std::size_t body_bytes(MessageType type) const {
    return type == MessageType::kChunk ? kChunkHeaderBytes + chunk_bytes : control_bytes;
  }
};

/// One message as it lies on the wire.
struct Frame {
  MessageType type{};               ///< also one that is not known here
  std::uint64_t id = 0;             ///< of the request: grows from frame to frame of one sender
  std::uint64_t answers = 0;        ///< the request of the other end that this answers; 0: none
  std::span<const std::byte> body;  ///< valid until the reader is called again
};

/// What can be wrong with received bytes.
enum class FrameFault : std::uint8_t {
  kGarbage,      ///< these are no frames of this protocol
  kDamaged,      ///< a checksum does not fit
  kUnsupported,  ///< a header with bits that this version does not know
  kOversized,    ///< the body would be larger than the limit
  kReplayed,     ///< a request id that is not larger than the one before
  kTruncated,    ///< the connection ended within a frame
};

/// "garbage", "damaged", "unsupported", "oversized", "replayed" or "truncated".
[[nodiscard]] std::string_view to_text(FrameFault fault);

/// Why a connection cannot go on: where a frame ends is not known any more, or a peer is not
/// honest.
struct FrameError {
  FrameFault fault{};
  std::string reason;  ///< for logs; holds nothing that the peer has written but numbers
};

}  // namespace convoy::net
