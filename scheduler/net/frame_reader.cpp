// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/frame_reader.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "scheduler/net/internal/frame_layout.h"
#include "scheduler/net/internal/little_endian.h"

namespace convoy::net {

using internal::get;

FrameReader::FrameReader(FrameLimits limits) : limits_(limits) {
  require(limits.chunk_bytes <= kMaxChunkBytes, "FrameReader: chunks are at most 1 MiB");
}

std::optional<Frame> FrameReader::next(std::span<const std::byte>& bytes) {
  if (is_whole()) {  // the one that was returned last
    header_bytes_ = 0;
    body_.clear();
  }
  if (!error_) take_header(bytes);
  if (!error_) take_body(bytes);
  if (error_ || !is_whole()) return std::nullopt;
  if (internal::body_check(body_) !=
      get<std::uint64_t>(std::span(header_).subspan(internal::kBodyCheckAt))) {
    fail(FrameFault::kDamaged, fmt::format("the checksum over the body of request {} ({} bytes) "
                                           "does not fit",
                                           frame_.id, length_));
    return std::nullopt;
  }
  last_id_ = frame_.id;
  frame_.body = body_;
  return frame_;
}

void FrameReader::finish() {
  if (error_ || header_bytes_ == 0 || is_whole()) return;
  if (header_bytes_ < kFrameHeaderBytes) {
    fail(FrameFault::kTruncated,
         fmt::format("the connection ended {} bytes into a frame's header", header_bytes_));
  } else {
    fail(FrameFault::kTruncated, fmt::format("the connection ended {} bytes into the body of "
                                             "request {} of {} bytes",
                                             body_.size(), frame_.id, length_));
  }
}

bool FrameReader::is_whole() const {
  return header_bytes_ == kFrameHeaderBytes && body_.size() == length_;
}

void FrameReader::take_header(std::span<const std::byte>& bytes) {
  const std::size_t count = std::min(kFrameHeaderBytes - header_bytes_, bytes.size());
  if (count == 0) return;
  std::copy_n(bytes.begin(), count, header_.begin() + static_cast<std::ptrdiff_t>(header_bytes_));
  header_bytes_ += count;
  bytes = bytes.subspan(count);
  // The magic is looked at as soon as there is some: a stranger may not send a whole header.
  const std::size_t known = std::min(header_bytes_, internal::kMagic.size());
  if (!std::equal(header_.begin(), header_.begin() + static_cast<std::ptrdiff_t>(known),
                  internal::kMagic.begin())) {
    fail(FrameFault::kGarbage, "this is no frame of the protocol: its first bytes are others");
  } else if (header_bytes_ == kFrameHeaderBytes) {
    check_header();
  }
}

void FrameReader::check_header() {
  const std::span<const std::byte> header(header_);
  if (internal::header_check(header) !=
      get<std::uint32_t>(header.subspan(internal::kHeaderCheckAt))) {
    return fail(FrameFault::kDamaged, "the checksum over a frame's header does not fit");
  }
  const auto zero = get<std::uint16_t>(header.subspan(internal::kZeroAt));
  frame_.type = static_cast<MessageType>(get<std::uint16_t>(header.subspan(internal::kTypeAt)));
  frame_.id = get<std::uint64_t>(header.subspan(internal::kIdAt));
  frame_.answers = get<std::uint64_t>(header.subspan(internal::kAnswersAt));
  const std::size_t length = get<std::uint32_t>(header.subspan(internal::kLengthAt));
  if (zero != 0) {
    return fail(
        FrameFault::kUnsupported,
        fmt::format("a frame's header has flags {:#x}, which this version does not know", zero));
  }
  if (frame_.id <= last_id_) {
    return fail(FrameFault::kReplayed,
                fmt::format("request {} came after request {}", frame_.id, last_id_));
  }
  if (const std::size_t most = limits_.body_bytes(frame_.type); length > most) {
    return fail(
        FrameFault::kOversized,
        fmt::format("request {} of type {} ({}) has {} bytes, at most {} are taken", frame_.id,
                    static_cast<int>(frame_.type), to_text(frame_.type), length, most));
  }
  length_ = length;
}

void FrameReader::take_body(std::span<const std::byte>& bytes) {
  if (header_bytes_ < kFrameHeaderBytes) return;
  const std::size_t count = std::min(length_ - body_.size(), bytes.size());
  const std::size_t size = body_.size() + count;
  // Never more than one frame, where the vector itself would double beyond it.
  if (size > body_.capacity()) body_.reserve(std::min(length_, std::max(size, 2 * body_.size())));
  body_.insert(body_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
  bytes = bytes.subspan(count);
}

void FrameReader::fail(FrameFault fault, std::string reason) {
  error_ = FrameError{.fault = fault, .reason = std::move(reason)};
  body_ = {};
}

}  // namespace convoy::net
