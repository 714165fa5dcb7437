// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/intake.h"

#include <spdlog/fmt/fmt.h>

#include <utility>

namespace convoy::net::internal {
namespace {

std::string text_of(const FrameError& error) {
  return fmt::format("{}: {}", to_text(error.fault), error.reason);
}

}  // namespace

Intake::Intake(const ConnectionLimits& limits, Party peer)
    : peer_(peer),
      progress_bytes_(limits.progress_bytes),
      reader_(limits.frames),
      greeting_(peer),
      rate_(limits.messages_per_second) {}

std::optional<Received> Intake::next(std::span<const std::byte>& bytes, Time now) {
  if (const auto frame = reader_.next(bytes)) {
    slow_since_.reset();
    return look_at(*frame, now);
  }
  if (const auto& error = reader_.error()) {
    return Fault{{.code = RefusalCode::kBadFrame, .text = text_of(*error)}};
  }
  note_progress(now);
  return std::nullopt;
}

/// By bytes, not by frames: a slow link takes minutes for a chunk.
void Intake::note_progress(Time now) {
  if (!reader_.is_within_frame()) return slow_since_.reset();
  if (slow_since_ && reader_.frame_bytes() - slow_bytes_ < progress_bytes_) return;
  slow_since_ = now;
  slow_bytes_ = reader_.frame_bytes();
}

Received Intake::look_at(const Frame& frame, Time now) {
  const bool is_chunk = frame.type == MessageType::kChunk;
  if (!is_chunk && !rate_.take(now)) {
    return Fault{{.code = RefusalCode::kTooMuch, .text = "too many messages in ten seconds"},
                 frame.id};
  }
  if (auto refusal = greeting_.arrived(frame.type)) return Fault{std::move(*refusal), frame.id};
  if (is_chunk) {
    auto chunk = may_send(peer_, frame.type) ? decode_chunk(frame)
                                             : std::variant<Chunk, net::Refusal>(net::Refusal{
                                                   .code = RefusalCode::kNotAllowed,
                                                   .text = fmt::format("a Chunk does not come "
                                                                       "from a {}",
                                                                       to_text(peer_))});
    if (auto* refusal = std::get_if<net::Refusal>(&chunk))
      return Fault{std::move(*refusal), frame.id};
    return std::get<Chunk>(chunk);
  }
  auto message = decode(frame, peer_);
  if (auto* refusal = std::get_if<net::Refusal>(&message)) {
    const bool ends = refusal->code != RefusalCode::kUnknownType;
    return Fault{std::move(*refusal), frame.id, ends};
  }
  return ReceivedMessage{std::move(std::get<Message>(message)), frame.id, frame.answers};
}

std::optional<std::string> Intake::finish() {
  reader_.finish();
  if (const auto& error = reader_.error()) return text_of(*error);
  return std::nullopt;
}

}  // namespace convoy::net::internal
