// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace convoy::net {

/// Who speaks: one end of every connection is the server.
enum class Party : std::uint8_t { kServer = 1, kSite, kOperator };

/// What a frame holds. Numbers are part of the protocol (docs/protocol.md) and never reused; a
/// reader may meet others.
enum class MessageType : std::uint16_t {
  kHello = 1,
  kWelcome = 2,
  kRefusal = 3,
  kGoodbye = 4,
  kAccepted = 5,

  kJoin = 16,
  kJobOffer = 17,
  kDispatch = 18,
  kProgress = 19,
  kLeave = 20,

  kUploadBegin = 32,
  kUploadAck = 33,
  kModelBegin = 34,
  kStreamOffset = 35,
  kChunk = 36,  ///< the only one that is no Protobuf message (chunk.h)
  kStreamEnd = 37,

  kStatusRequest = 48,
  kStatus = 49,
  kCommand = 50,
};

/// "Hello", ...; "unknown" for a number that has no message.
[[nodiscard]] std::string_view to_text(MessageType type);
[[nodiscard]] bool is_known(MessageType type);
/// False for types that are not known.
[[nodiscard]] bool may_send(Party party, MessageType type);

/// "server", "site", "operator".
[[nodiscard]] std::string_view to_text(Party party);

}  // namespace convoy::net
