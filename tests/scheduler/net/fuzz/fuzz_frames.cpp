// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "scheduler/net/chunk.h"
#include "scheduler/net/frame_reader.h"
#include "scheduler/net/internal/frame_layout.h"

namespace convoy::net {
namespace {

constexpr FrameLimits kLimits{.control_bytes = 512, .chunk_bytes = 1024};

void demand(bool ok) {
  if (!ok) std::abort();
}

/// Fits the checksums of the first frames to what the input says they hold, so that more than the
/// checksums is reached.
void fix_checksums(std::vector<std::byte>& bytes, int frames) {
  std::size_t at = 0;
  for (int i = 0; i < frames && at + kFrameHeaderBytes <= bytes.size(); ++i) {
    const auto frame = std::span(bytes).subspan(at);
    std::copy(internal::kMagic.begin(), internal::kMagic.end(), frame.begin());
    std::uint32_t length = 0;
    std::memcpy(&length, frame.data() + internal::kLengthAt, sizeof length);
    const std::size_t left = frame.size() - kFrameHeaderBytes;
    const std::size_t body = std::min<std::size_t>(length, left);
    const std::uint64_t over_body = internal::body_check(frame.subspan(kFrameHeaderBytes, body));
    std::memcpy(frame.data() + internal::kBodyCheckAt, &over_body, sizeof over_body);
    const std::uint32_t over_header = internal::header_check(frame);
    std::memcpy(frame.data() + internal::kHeaderCheckAt, &over_header, sizeof over_header);
    at += kFrameHeaderBytes + body;
  }
}

struct Outcome {
  std::vector<std::uint64_t> ids;
  std::size_t body_bytes = 0;
  int fault = -1;
  bool operator==(const Outcome&) const = default;
};

Outcome read(std::span<const std::byte> bytes, std::size_t piece) {
  Outcome outcome;
  FrameReader reader(kLimits);
  while (!bytes.empty()) {
    const auto front = bytes.first(std::min(piece, bytes.size()));
    // Exactly as large as it is, so that AddressSanitizer sees every byte beyond.
    const std::vector<std::byte> exact(front.begin(), front.end());
    bytes = bytes.subspan(front.size());
    std::span<const std::byte> rest(exact);
    while (const auto frame = reader.next(rest)) {
      demand(outcome.ids.empty() || frame->id > outcome.ids.back());
      demand(frame->body.size() <= kLimits.body_bytes(frame->type));
      if (frame->type == MessageType::kChunk) (void)decode_chunk(*frame);
      outcome.ids.push_back(frame->id);
      outcome.body_bytes += frame->body.size();
    }
    demand(rest.empty() || reader.error().has_value());
    demand(reader.memory_bytes() <= sizeof(reader) + kChunkHeaderBytes + kLimits.chunk_bytes);
  }
  reader.finish();
  if (reader.error()) outcome.fault = static_cast<int>(reader.error()->fault);
  return outcome;
}

}  // namespace
}  // namespace convoy::net

/// The first byte: how many frames get their checksums, and how large the pieces are.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy::net;
  if (size == 0) return 0;
  const auto input = std::as_bytes(std::span(data, size)).subspan(1);
  std::vector<std::byte> bytes(input.begin(), input.end());
  fix_checksums(bytes, data[0] % 8);
  const auto whole = read(bytes, bytes.size() + 1);
  demand(whole == read(bytes, 1 + data[0] / 8));
  return 0;
}
