// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "scheduler/net/chunk.h"
#include "scheduler/net/connection.h"
#include "scheduler/net/frame_reader.h"
#include "scheduler/net/internal/message_rate.h"
#include "scheduler/net/message_codec.h"
#include "scheduler/net/versions.h"

namespace convoy::net::internal {

struct ReceivedMessage {
  Message message;
  std::uint64_t id = 0;
  std::uint64_t answers = 0;
};

/// What is wrong with something received, as the other end is told.
struct Fault {
  net::Refusal refusal;
  std::uint64_t answers = 0;  ///< the frame that was wrong, where there is one
  bool ends = true;           ///< the connection cannot go on
};

using Received = std::variant<ReceivedMessage, Chunk, Fault>;

/// Makes messages and chunks of the bytes of one connection, and finds everything that is wrong
/// with them. Pure: is told the time.
class Intake {
 public:
  using Time = MessageRate::Time;

  Intake(const ConnectionLimits& limits, Party peer);

  /// Takes bytes off the front of `bytes`. Call it until it returns nothing, or a fault that ends.
  /// A chunk is valid until the next call.
  [[nodiscard]] std::optional<Received> next(std::span<const std::byte>& bytes, Time now);
  /// The peer sends no more. @return what that cuts.
  [[nodiscard]] std::optional<std::string> finish();

  [[nodiscard]] bool is_greeted() const { return greeting_.is_done(); }
  /// Since when a frame that is not whole has got less than ConnectionLimits::progress_bytes more.
  [[nodiscard]] std::optional<Time> slow_since() const { return slow_since_; }

 private:
  void note_progress(Time now);
  Received look_at(const Frame& frame, Time now);

  Party peer_;
  std::size_t progress_bytes_;
  FrameReader reader_;
  Greeting greeting_;
  MessageRate rate_;
  std::optional<Time> slow_since_;
  std::size_t slow_bytes_ = 0;  ///< of the frame, then
};

}  // namespace convoy::net::internal
