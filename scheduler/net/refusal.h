// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "scheduler/net/message_type.h"

namespace convoy::net {

/// Why something was refused. Numbers are part of the protocol.
enum class RefusalCode : std::uint8_t {
  kNoCommonVersion = 1,
  kUnknownType,     ///< of a message; the connection may go on
  kMalformed,       ///< a message that is none, or a field with a value that it cannot have
  kNotAllowed,      ///< a message that this party does not send, a name that is not the sender's
  kUnexpected,      ///< a message that does not belong here, such as a second Hello
  kUnknownSite,     ///< nobody of this name takes part, or it has been removed
  kSecondInstance,  ///< the site is connected already, from another living process
  kOtherSchema,     ///< the site's data do not fit the job
  kBadFrame,        ///< what FrameReader found
  kBadStream,       ///< what StreamReceiver or TensorReader found
  kBadUpdate,       ///< shapes, values or norm
  kOutOfRound,      ///< an update of a round that nobody waits for
  kTooMuch,         ///< more bytes, connections or messages than the limits let through
  kSitePolicy,      ///< the site's own policy forbids what the job asks for
  kNotNow,          ///< paused, finishing or starting: try again later
  kFailed,          ///< the sender of this could not do it; the text says why
};
inline constexpr RefusalCode kLastRefusalCode = RefusalCode::kFailed;

/// "no common version", ...
[[nodiscard]] std::string_view to_text(RefusalCode code);

/// Of every text for people in a message.
inline constexpr std::size_t kMaxTextBytes = 1000;
/// `text` as a message may carry it: printable ASCII, anything else as "?", and cut.
[[nodiscard]] std::string as_text(std::string_view text);

/// From both ends. What it answers is in its frame; 0 where that is not known.
struct Refusal {
  static constexpr MessageType kType = MessageType::kRefusal;
  RefusalCode code = RefusalCode::kFailed;
  std::string text;
  bool operator==(const Refusal&) const = default;
};

}  // namespace convoy::net
