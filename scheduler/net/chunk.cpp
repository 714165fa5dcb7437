// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/chunk.h"

#include <algorithm>
#include <limits>
#include <string>

#include "base/errors.h"
#include "scheduler/net/internal/little_endian.h"

namespace convoy::net {
namespace {

constexpr std::size_t kOffsetAt = 8;

}  // namespace

std::uint64_t write_chunk(FrameWriter& writer, const Chunk& chunk, std::vector<std::byte>& out) {
  require(chunk.stream != 0 && chunk.offset >= 0 && !chunk.bytes.empty(),
          "write_chunk: a chunk has a stream, a place and bytes");
  const std::size_t start = out.size();
  out.resize(start + kFrameHeaderBytes + kChunkHeaderBytes + chunk.bytes.size());
  const auto frame = std::span(out).subspan(start);
  const auto body = frame.subspan(kFrameHeaderBytes);
  internal::put(chunk.stream, body);
  internal::put(static_cast<std::uint64_t>(chunk.offset), body.subspan(kOffsetAt));
  std::copy(chunk.bytes.begin(), chunk.bytes.end(), body.begin() + kChunkHeaderBytes);
  return writer.seal(MessageType::kChunk, frame);
}

std::variant<Chunk, Refusal> decode_chunk(const Frame& frame) {
  require(frame.type == MessageType::kChunk, "decode_chunk: the frame holds another message");
  const auto malformed = [](std::string text) {
    return Refusal{.code = RefusalCode::kMalformed, .text = "Chunk: " + text};
  };
  if (frame.body.size() <= kChunkHeaderBytes) return malformed("the body has no bytes of a stream");
  const auto stream = internal::get<std::uint64_t>(frame.body);
  const auto offset = internal::get<std::uint64_t>(frame.body.subspan(kOffsetAt));
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max() - kMaxChunkBytes;
  if (stream == 0) return malformed("stream is too small");
  if (offset > kMost) return malformed("offset is too large");
  return Chunk{.stream = stream,
               .offset = static_cast<std::int64_t>(offset),
               .bytes = frame.body.subspan(kChunkHeaderBytes)};
}

}  // namespace convoy::net
