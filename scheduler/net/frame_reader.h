// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "scheduler/net/frame.h"

namespace convoy::net {

/// Cuts frames out of the bytes of one connection, in pieces of any size. Holds one frame at most,
/// and makes room for a body only as its bytes arrive. The first error is the last thing that it
/// finds. One thread.
class FrameReader {
 public:
  explicit FrameReader(FrameLimits limits = {});

  /// Takes bytes off the front of `bytes` until a frame is whole, which it returns, or none are
  /// left or an error is found. Call it until it returns nothing.
  [[nodiscard]] std::optional<Frame> next(std::span<const std::byte>& bytes);

  /// The peer will send no more: an error when that cuts a frame.
  void finish();

  [[nodiscard]] const std::optional<FrameError>& error() const { return error_; }
  /// Some of a frame has come, but not all.
  [[nodiscard]] bool is_within_frame() const { return header_bytes_ > 0 && !is_whole(); }
  /// That have come of the frame which is under way, or is there.
  [[nodiscard]] std::size_t frame_bytes() const { return header_bytes_ + body_.size(); }
  /// Bytes that it holds, in use or not.
  [[nodiscard]] std::size_t memory_bytes() const { return sizeof(*this) + body_.capacity(); }

 private:
  void take_header(std::span<const std::byte>& bytes);
  void take_body(std::span<const std::byte>& bytes);
  void check_header();
  [[nodiscard]] bool is_whole() const;
  void fail(FrameFault fault, std::string reason);

  FrameLimits limits_;
  std::array<std::byte, kFrameHeaderBytes> header_{};
  std::size_t header_bytes_ = 0;  ///< that have arrived
  std::vector<std::byte> body_;   ///< what has arrived of it
  std::size_t length_ = 0;        ///< of the whole body
  Frame frame_;
  std::uint64_t last_id_ = 0;
  std::optional<FrameError> error_;
};

}  // namespace convoy::net
