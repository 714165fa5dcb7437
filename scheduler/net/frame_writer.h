// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "scheduler/net/frame.h"

namespace convoy::net {

/// Makes the frames of one end of a connection, with request ids 1, 2, ... Frames must be sent in
/// the order in which they are made. One thread.
class FrameWriter {
 public:
  explicit FrameWriter(FrameLimits limits = {});

  /// Appends a frame to `out`. @return its request id.
  /// @throws ContractError for a body that is larger than the limit.
  std::uint64_t write(MessageType type, std::span<const std::byte> body,
                      std::vector<std::byte>& out, std::uint64_t answers = 0);

  /// The same for a body that stands in its place already: `frame` has kFrameHeaderBytes of room,
  /// then the body.
  std::uint64_t seal(MessageType type, std::span<std::byte> frame, std::uint64_t answers = 0);

  /// That the next frame will have.
  [[nodiscard]] std::uint64_t next_id() const { return next_id_; }

 private:
  FrameLimits limits_;
  std::uint64_t next_id_ = 1;
};

}  // namespace convoy::net
