// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "scheduler/net/frame.h"
#include "scheduler/net/frame_writer.h"
#include "scheduler/net/refusal.h"

namespace convoy::net {

/// A piece of a stream.
struct Chunk {
  std::uint64_t stream = 0;          ///< request id of the UploadBegin or ModelBegin
  std::int64_t offset = 0;           ///< of the first byte in the stream
  std::span<const std::byte> bytes;  ///< as long as the frame that it came in
};

/// Appends the chunk's frame to `out`. @return its request id.
std::uint64_t write_chunk(FrameWriter& writer, const Chunk& chunk, std::vector<std::byte>& out);

/// The chunk in a frame of type kChunk. `kMalformed`: no header, no bytes, or an offset beyond
/// 2^63.
[[nodiscard]] std::variant<Chunk, Refusal> decode_chunk(const Frame& frame);

}  // namespace convoy::net
