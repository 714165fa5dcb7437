// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "scheduler/net/chunk.h"
#include "scheduler/net/stream_messages.h"
#include "scheduler/net/stream_receiver.h"

namespace convoy::trainer {

/// A stream of the server's on its way into memory. It outlives its connection: the same stream
/// goes on where it was cut. One thread.
class Download {
 public:
  explicit Download(const net::ModelBegin& begin);

  /// The stream has this number on the connection that there is now.
  void attach(const net::ModelBegin& begin, std::uint64_t stream);
  /// The connection is gone.
  void detach() { stream_ = 0; }
  /// Whether what `begin` announces are the bytes of which this one has the first.
  [[nodiscard]] bool continues(const net::ModelBegin& begin) const;

  /// To be sent: what is here, and what may come.
  [[nodiscard]] net::StreamOffset take_more();
  /// The same when enough has come that the sender should hear of it.
  [[nodiscard]] std::optional<net::StreamOffset> take_more_if_due();

  [[nodiscard]] std::optional<net::StreamError> take(const net::Chunk& chunk);
  [[nodiscard]] std::optional<net::StreamError> finish(const net::StreamEnd& end);

  [[nodiscard]] const net::ModelBegin& begin() const { return begin_; }
  /// 0: of no connection.
  [[nodiscard]] std::uint64_t stream() const { return stream_; }
  [[nodiscard]] std::vector<std::byte> take_bytes() { return std::move(bytes_); }

 private:
  net::ModelBegin begin_;
  net::StreamReceiver receiver_;
  std::uint64_t stream_ = 0;
  std::int64_t limit_ = 0;
  std::vector<std::byte> bytes_;
};

}  // namespace convoy::trainer
