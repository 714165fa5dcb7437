// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "scheduler/net/frame_reader.h"
#include "scheduler/net/message_codec.h"

namespace convoy::net {

using Bytes = std::vector<std::byte>;

/// One of every message, each field with a value of its own.
std::vector<Message> every_message();
/// Who sends it; the server where both ends do.
Party sender_of(const Message& message);

/// A frame that owns its body.
struct OwnedFrame {
  MessageType type{};
  std::uint64_t id = 0;
  std::uint64_t answers = 0;
  Bytes body;
  bool operator==(const OwnedFrame&) const = default;
  [[nodiscard]] Frame view() const {
    return {.type = type, .id = id, .answers = answers, .body = body};
  }
};

struct ReadFrames {
  std::vector<OwnedFrame> frames;
  std::optional<FrameError> error;
};
/// All that a reader finds in `bytes`, fed in pieces of `piece` bytes, at the end of which the
/// connection ends.
ReadFrames read_frames(std::span<const std::byte> bytes, std::size_t piece,
                       FrameLimits limits = {});

Bytes bytes_of_text(const std::string& text);
/// Of hexadecimal digits, white space between them.
Bytes bytes_of_hex(const std::string& text);
std::string hex_of(std::span<const std::byte> bytes);

}  // namespace convoy::net
