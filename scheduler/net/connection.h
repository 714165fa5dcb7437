// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "scheduler/net/chunk.h"
#include "scheduler/net/message_codec.h"
#include "scheduler/net/tls_settings.h"

namespace convoy::net {

/// What one connection may cost.
struct ConnectionLimits {
  FrameLimits frames;
  /// From the first byte to the end of the TLS handshake, and from there to the first message.
  std::chrono::milliseconds handshake{10'000};
  /// Within which `progress_bytes` more of a frame must come, or its end, and as much of what is
  /// written be taken by the peer: one that dawdles is cut off. Larger: slower links are waited
  /// for.
  std::chrono::milliseconds progress{30'000};
  /// Larger: links must be faster. 64 KiB in 30 s are 2.2 kB/s.
  std::size_t progress_bytes = std::size_t{64} << 10;
  /// That may wait to be written: with more the connection ends, as its peer asks for more than it
  /// reads. Whoever sends chunks stays below by queued_bytes(). Larger: a peer may occupy more
  /// memory.
  std::size_t queued_bytes = std::size_t{4} << 20;
  /// Control messages in a second, on average over the last ten. Larger: a peer may keep the server
  /// busier.
  double messages_per_second = 200.0;
  /// How often ConnectionUser::on_tick() is called, and the times above are looked at.
  std::chrono::milliseconds tick{200};
};

/// Whoever uses a connection. Calls come one at a time, and never out of a call of Connection's.
class ConnectionUser {
 public:
  virtual ~ConnectionUser() = default;
  /// A control message, decoded, every field checked, and in its place (Greeting).
  /// @param id  what an answer names. @param answers  the frame of ours that it answers; 0: none.
  virtual void on_message(const Message& message, std::uint64_t id, std::uint64_t answers) = 0;
  /// @param chunk  valid while the call lasts. Not called again before it returns: that is the
  /// back-pressure.
  virtual void on_chunk(const Chunk& chunk) = 0;
  /// All that was sent has been handed to the system: more may be sent without growing the queue.
  virtual void on_drained() {}
  /// Every ConnectionLimits::tick.
  virtual void on_tick() {}
  /// The last call. @param why  in one line, for logs: "" when close() of this end went through;
  /// that the other end has closed is said. After a dial it may be the server's refusal of our
  /// certificate, which TLS 1.3 tells only now.
  virtual void on_closed(const std::string& why) = 0;
};

/// An established TLS connection that speaks frames. But for post(), everything is called in a
/// ConnectionUser's call or in a task of post() only.
class Connection {
 public:
  virtual ~Connection() = default;

  /// Runs `task` where the user's calls run; after the end of the connection too, but not after
  /// that of its Listener or Dialer: then it is dropped. What it throws aborts the connection. Any
  /// thread.
  virtual void post(std::function<void()> task) = 0;

  /// Queues a message; after close() or the end nothing. Over ConnectionLimits::queued_bytes it
  /// aborts the connection. @return the id of its frame, or 0.
  virtual std::uint64_t send(const Message& message, std::uint64_t answers = 0) = 0;
  /// Queues a piece of a stream, as send(). The bytes are copied.
  virtual void send_chunk(const Chunk& chunk) = 0;
  /// Bytes that wait to be written.
  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;
  /// Sends what is queued, then ends; nothing more is received. on_closed() follows.
  virtual void close() = 0;
  /// Ends now. @param why  what on_closed() gets.
  virtual void abort(const std::string& why) = 0;

  [[nodiscard]] virtual const PeerIdentity& peer() const = 0;
  /// "10.0.0.7:41532", for logs.
  [[nodiscard]] virtual std::string address() const = 0;
  /// When the newest byte came.
  [[nodiscard]] virtual std::chrono::steady_clock::time_point last_heard() const = 0;
  /// When the other end had taken ConnectionLimits::progress_bytes more of what is sent, as far as
  /// its system tells. On a slow link a sign of life waits behind megabytes, and so does its
  /// answer: until then this stands for it.
  [[nodiscard]] virtual std::chrono::steady_clock::time_point last_taken() const {
    return last_heard();
  }
};

}  // namespace convoy::net
