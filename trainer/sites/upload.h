// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "scheduler/net/connection.h"
#include "scheduler/net/stream_messages.h"
#include "scheduler/net/stream_sender.h"

namespace convoy::trainer {

/// An update that lies in the outbox, and how it is read from there.
struct OfferedUpdate {
  net::UploadBegin begin;
  net::StreamSource source;
  std::string run;  ///< no other run is offered it
};

/// An update on its way to the server, over as many connections and attempts as that takes. One
/// thread.
class Upload {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit Upload(OfferedUpdate offered);

  [[nodiscard]] const OfferedUpdate& offered() const { return offered_; }
  [[nodiscard]] bool is_announced() const { return stream_ != 0; }
  /// Whether a refusal of frame `id` can be meant for this upload; chunks have ids of their own.
  [[nodiscard]] bool is_about(std::uint64_t id) const { return is_announced() && id >= stream_; }

  /// Says that the update is here; bytes follow when the server has said from where.
  void announce(net::Connection& connection);
  /// The connection is gone, or the server has given the stream up.
  void withdraw();
  /// Bad streams in a row; the first is 1.
  int count_bad_stream() { return ++bad_streams_; }

  /// Not before `time`.
  void wait_until(Time time) { not_before_ = time; }
  [[nodiscard]] bool is_due(Time now) const { return !is_announced() && now >= not_before_; }

  /// The server's answer to the announcement, or later.
  [[nodiscard]] std::optional<net::StreamError> allow(const net::StreamOffset& offset);
  /// Sends what may be sent without filling memory. @return whether anything was sent.
  bool pump(net::Connection& connection);

  [[nodiscard]] std::uint64_t stream() const { return stream_; }

 private:
  OfferedUpdate offered_;
  std::uint64_t stream_ = 0;
  std::optional<net::StreamSender> sender_;
  bool is_ended_ = false;
  int bad_streams_ = 0;
  Time not_before_{};
};

}  // namespace convoy::trainer
