// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "scheduler/net/frame.h"
#include "scheduler/net/operator_messages.h"
#include "scheduler/net/refusal.h"
#include "scheduler/net/session_messages.h"
#include "scheduler/net/stream_messages.h"

namespace convoy::net {

/// Every control message.
using Message = std::variant<Hello, Welcome, Refusal, Goodbye, Accepted, Join, JobOffer, Dispatch,
                             Progress, Leave, UploadBegin, UploadAck, ModelBegin, StreamOffset,
                             StreamEnd, StatusRequest, Status, Command>;

[[nodiscard]] MessageType type_of(const Message& message);

/// A frame's body. Texts for people that decode() would refuse become as_text().
/// @throws ContractError for a message that decode() would refuse for another field: no end sends
///         it.
[[nodiscard]] std::vector<std::byte> encode(const Message& message);

/// The message in a frame from `sender`, every field checked, or why it is refused: `kUnknownType`,
/// `kNotAllowed` or `kMalformed`, with the field in the text. Fields that are not known are passed
/// over. Takes memory of some 100 times the body's size at most.
[[nodiscard]] std::variant<Message, Refusal> decode(const Frame& frame, Party sender);

}  // namespace convoy::net
