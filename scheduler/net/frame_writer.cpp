// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/frame_writer.h"

#include <algorithm>

#include "base/errors.h"
#include "scheduler/net/internal/frame_layout.h"
#include "scheduler/net/internal/little_endian.h"

namespace convoy::net {

using internal::put;

FrameWriter::FrameWriter(FrameLimits limits) : limits_(limits) {
  require(limits.chunk_bytes <= kMaxChunkBytes, "FrameWriter: chunks are at most 1 MiB");
}

std::uint64_t FrameWriter::write(MessageType type, std::span<const std::byte> body,
                                 std::vector<std::byte>& out, std::uint64_t answers) {
  require(body.size() <= limits_.body_bytes(type), "FrameWriter: the body is too large");
  const std::size_t start = out.size();
  out.resize(start + kFrameHeaderBytes + body.size());
  const auto frame = std::span(out).subspan(start);
  std::copy(body.begin(), body.end(), frame.begin() + kFrameHeaderBytes);
  return seal(type, frame, answers);
}

std::uint64_t FrameWriter::seal(MessageType type, std::span<std::byte> frame,
                                std::uint64_t answers) {
  require(frame.size() >= kFrameHeaderBytes, "FrameWriter: no room for the header");
  const std::span<const std::byte> body = frame.subspan(kFrameHeaderBytes);
  require(body.size() <= limits_.body_bytes(type), "FrameWriter: the body is too large");
  std::copy(internal::kMagic.begin(), internal::kMagic.end(), frame.begin());
  put(static_cast<std::uint16_t>(type), frame.subspan(internal::kTypeAt));
  put(std::uint16_t{0}, frame.subspan(internal::kZeroAt));
  put(next_id_, frame.subspan(internal::kIdAt));
  put(answers, frame.subspan(internal::kAnswersAt));
  put(static_cast<std::uint32_t>(body.size()), frame.subspan(internal::kLengthAt));
  put(internal::body_check(body), frame.subspan(internal::kBodyCheckAt));
  put(internal::header_check(frame), frame.subspan(internal::kHeaderCheckAt));
  return next_id_++;
}

}  // namespace convoy::net
