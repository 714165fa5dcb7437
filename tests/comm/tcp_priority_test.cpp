// SPDX-License-Identifier: Apache-2.0
// In which order frames leave.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <deque>
#include <vector>

#include "comm/tcp/internal/outbox.h"

namespace convoy::tests {
namespace {

using comm::internal::Channel;
using comm::internal::Message;
using namespace comm::tcp;

/// Messages to peer 1, and what comes out at the other end of its socket.
class Wire {
 public:
  Wire() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    here_ = Descriptor(ends[0]);
    there_ = Descriptor(ends[1]);
  }

  void send(int tag, int priority, std::size_t bytes) {
    memory_.emplace_back(bytes);
    Message& message = messages_.emplace_back();
    message.route = {1, Channel::kCollective, tag};
    message.priority = priority;
    message.source = memory_.back();
    outbox.send(message);
  }

  void write() { (void)outbox.write(here_); }

  /// Tags of the frames as they arrive; those of grants are negative.
  std::vector<int> tags() {
    std::vector<std::byte> bytes;
    std::array<std::byte, 4096> piece{};
    for (;;) {
      write();
      const ssize_t got = ::recv(there_.get(), piece.data(), piece.size(), 0);
      if (got <= 0) break;
      bytes.insert(bytes.end(), piece.begin(), piece.begin() + got);
    }
    std::vector<int> tags;
    for (std::size_t at = 0; at < bytes.size();) {
      FrameHeader header;
      std::memcpy(&header, &bytes[at], sizeof header);
      tags.push_back(header.kind == FrameHeader::Kind::kGrant ? -header.tag : header.tag);
      at += sizeof header + header.bytes;
    }
    return tags;
  }

  Outbox outbox;

 private:
  Descriptor here_;
  Descriptor there_;
  std::deque<std::vector<std::byte>> memory_;
  std::deque<Message> messages_;
};

TEST(TcpPriority, FramesGoByUrgencyAndThenByAgeButNeverIntoAHalfSentOne) {
  Wire wire;
  wire.send(1, 5, 4 << 20);
  wire.write();  // not all of it
  wire.send(2, 5, 10);
  wire.send(3, 2, 10);
  wire.send(4, 5, 10);
  wire.send(5, 2, 10);
  wire.send(6, 0, 10);
  wire.outbox.grant({1, Channel::kCollective, 7});
  wire.outbox.grant({1, Channel::kCollective, 8});
  EXPECT_EQ(wire.tags(), (std::vector{1, -7, -8, 6, 3, 5, 2, 4}));
  wire.send(9, 3, 10);
  wire.outbox.grant({1, Channel::kCollective, 10});
  EXPECT_EQ(wire.tags(), (std::vector{-10, 9}));
}

}  // namespace
}  // namespace convoy::tests
