// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "comm/internal/scratch_pool.h"
#include "comm/tcp/internal/descriptor.h"
#include "comm/tcp/internal/frame.h"
#include "comm/tcp/internal/inbox.h"
#include "comm/tcp/internal/outbox.h"

namespace convoy::comm::tcp {

/// The messages to and from one peer over one socket. Guarded by the engine's mutex.
class Connection {
 public:
  /// @param scratch  for what comes before it is asked for.
  Connection(Descriptor socket, int peer, internal::ScratchPool& scratch);

  void send(internal::Message& message);
  void receive(internal::Message& message);
  /// Reads what is there. A long message goes straight to its memory. A connection that has broken
  /// fails its messages.
  void read();
  /// Writes what the socket takes. @return true if a message is over now.
  bool write();
  /// Says so to the peer, if that is possible within a moment, and closes. Touches no message any
  /// more.
  void leave(const std::string& failure);

  [[nodiscard]] int fd() const { return socket_.get(); }
  [[nodiscard]] bool is_open() const { return socket_.is_open(); }
  [[nodiscard]] bool wants_to_write() const { return is_open() && !out_.empty(); }
  bool waits_for_room = false;  ///< what the owner has told epoll

 private:
  // These return how many bytes have come.
  std::size_t receive_bytes(std::span<std::byte> room);
  std::size_t read_into_buffer();
  std::size_t read_into_message();
  void finish_if_complete();
  void choose_when_to_wake();
  void take_frames();
  [[nodiscard]] bool take_frame(std::size_t& at);
  [[nodiscard]] bool take_data(const FrameHeader& header, std::size_t& at);
  void take_leave(std::span<const std::byte> reason);
  void say_farewell(const std::string& failure);
  void break_off(const std::string& why);

  Descriptor socket_;
  int peer_;
  Inbox in_;
  Outbox out_;
  std::string gone_;  // why nothing more can come or go; empty while it can
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t filled_ = 0;
  internal::Message* direct_ = nullptr;  // the long message that is being received
  std::size_t direct_got_ = 0;
  bool drained_ = false;   // the last read has brought less than there was room for
  int wake_at_bytes_ = 1;  // what the socket has been told
};

}  // namespace convoy::comm::tcp
