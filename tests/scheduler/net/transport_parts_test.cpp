// SPDX-License-Identifier: Apache-2.0
// The parts of the transport that know neither sockets nor clocks.
#include <gtest/gtest.h>

#include "base/errors.h"
#include "scheduler/net/internal/admission.h"
#include "scheduler/net/internal/asio_connection.h"
#include "scheduler/net/internal/handshake_line.h"
#include "scheduler/net/internal/intake.h"
#include "scheduler/net/internal/log_limit.h"
#include "scheduler/net/internal/message_rate.h"
#include "scheduler/net/internal/send_queue.h"
#include "tests/scheduler/net/net_kit.h"

namespace convoy::net {
namespace {

using namespace std::chrono_literals;
using internal::Admission;
using internal::HandshakeLine;
using internal::Intake;
using internal::LogLimit;
using internal::MessageRate;
using internal::SendQueue;
using Time = MessageRate::Time;

TEST(MessageRateTest, IsAnAverageOverTenSeconds) {
  MessageRate rate(2.0);
  Time now(1h);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(rate.take(now)) << i;
  EXPECT_FALSE(rate.take(now));
  now += 500ms;
  EXPECT_TRUE(rate.take(now));
  EXPECT_FALSE(rate.take(now));
  now += 1h;  // a long silence saves up no more
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(rate.take(now)) << i;
  EXPECT_FALSE(rate.take(now));
  EXPECT_THROW(MessageRate(0.0), ContractError);
}

TEST(LogLimitTest, TellsHowManyWereLeftOut) {
  LogLimit limit(3, 5);
  Time now(1h);
  EXPECT_EQ(limit.take_left_out(now), 0U);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limit.admit("10.0.0.1 handshake", now)) << i;
  for (int i = 0; i < 7; ++i) EXPECT_FALSE(limit.admit("10.0.0.1 handshake", now)) << i;
  EXPECT_TRUE(limit.admit("10.0.0.2 handshake", now));  // others are seen
  EXPECT_TRUE(limit.admit("10.0.0.3 handshake", now));
  EXPECT_FALSE(limit.admit("10.0.0.4 handshake", now));  // but not any number of them
  now += 59s;
  EXPECT_FALSE(limit.admit("10.0.0.1 handshake", now));
  EXPECT_EQ(limit.take_left_out(now), 0U);
  now += 1s;
  EXPECT_EQ(limit.take_left_out(now), 9U);
  EXPECT_EQ(limit.take_left_out(now), 0U);
  EXPECT_TRUE(limit.admit("10.0.0.1 handshake", now));
  now += 59s;  // the minute begins with its first line
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(limit.admit("10.0.0.1 handshake", now)) << i;
  EXPECT_FALSE(limit.admit("10.0.0.1 handshake", now));
  now += 1s;
  EXPECT_EQ(limit.take_left_out(now), 1U);
}

TEST(HandshakeLineTest, PassesAnAddressThatHasEnough) {
  boost::asio::io_context context;
  HandshakeLine line(3, 2);
  const auto come = [&](const char* from, std::uint16_t port) {
    line.join({internal::Socket(boost::asio::make_strand(context)),
               {boost::asio::ip::make_address(from), port}});
  };
  const auto next = [&] {
    const auto arrival = line.next();
    return arrival ? internal::text_of(arrival->peer) : std::string("nobody");
  };
  EXPECT_EQ(next(), "nobody");
  for (std::uint16_t port = 1; port <= 4; ++port) come("10.0.0.1", port);
  come("10.0.0.2", 5);
  come("10.0.0.2", 6);
  EXPECT_EQ(next(), "10.0.0.1:1");
  EXPECT_EQ(next(), "10.0.0.1:2");
  EXPECT_TRUE(line.has_room());
  EXPECT_EQ(next(), "10.0.0.2:5");
  EXPECT_FALSE(line.has_room());
  EXPECT_EQ(next(), "nobody");
  line.leave({boost::asio::ip::make_address("10.0.0.2"), 5});
  EXPECT_EQ(next(), "10.0.0.2:6");
  line.leave({boost::asio::ip::make_address("10.0.0.1"), 1});
  EXPECT_EQ(next(), "10.0.0.1:3");
  line.clear();
  line.leave({boost::asio::ip::make_address("10.0.0.1"), 2});
  EXPECT_EQ(next(), "nobody");
}

TEST(AdmissionTest, CountsEachAddress) {
  Admission admission(2);
  const auto address = [](const char* text) { return boost::asio::ip::make_address(text); };
  EXPECT_TRUE(admission.enter(address("10.0.0.1")));
  EXPECT_TRUE(admission.enter(address("::ffff:10.0.0.1")));
  EXPECT_FALSE(admission.enter(address("10.0.0.1")));
  EXPECT_TRUE(admission.enter(address("10.0.0.2")));
  admission.leave(address("10.0.0.1"));
  EXPECT_TRUE(admission.enter(address("10.0.0.1")));
  EXPECT_TRUE(admission.enter(address("2001:db8:1:2::1")));
  EXPECT_TRUE(admission.enter(address("2001:db8:1:2:ffff::2")));
  EXPECT_FALSE(admission.enter(address("2001:db8:1:2::3")));
  EXPECT_TRUE(admission.enter(address("2001:db8:1:3::3")));
}

TEST(SendQueueTest, GathersSmallFramesAndKeepsTheOrder) {
  SendQueue queue;
  EXPECT_EQ(queue.add(Progress{.steps_done = 1}, 0), 1U);
  EXPECT_EQ(queue.add(Progress{.steps_done = 2}, 9), 2U);
  const Bytes large(kMaxChunkBytes, std::byte{7});
  queue.add(Chunk{.stream = 1, .bytes = large});
  EXPECT_EQ(queue.add(Goodbye{}, 0), 4U);
  Bytes all;
  std::size_t pieces = 0;
  while (!queue.empty()) {
    const auto front = queue.front();
    const auto piece = front.first(std::min<std::size_t>(front.size(), 70));
    all.insert(all.end(), piece.begin(), piece.end());
    pieces += front.size() <= 70 ? 1 : 0;
    const auto before = queue.bytes();
    queue.pop(piece.size());
    EXPECT_EQ(queue.bytes(), before - piece.size());
  }
  EXPECT_EQ(pieces, 3U);
  const auto read = read_frames(all, all.size());
  ASSERT_EQ(read.frames.size(), 4U);
  EXPECT_FALSE(read.error);
  EXPECT_EQ(read.frames[1].answers, 9U);
  EXPECT_EQ(read.frames[2].type, MessageType::kChunk);
}

TEST(SendQueueTest, WhatCannotBeSentIsNotQueued) {
  SendQueue queue;
  EXPECT_THROW(queue.add(Chunk{.stream = 1, .bytes = Bytes(kMaxChunkBytes + 1)}), ContractError);
  EXPECT_THROW(queue.add(Chunk{.stream = 1, .bytes = {}}), ContractError);
  EXPECT_THROW((void)queue.add(Hello{.name = "not a name"}, 0), ContractError);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.add(Goodbye{}, 0), 1U);
}

TEST(IntakeTest, KnowsSinceWhenAFrameIsUnderWay) {
  Intake intake({}, Party::kServer);
  FrameWriter writer;
  Bytes bytes;
  (void)writer.write(MessageType::kWelcome, encode(Welcome{.server = "hub", .run = "r"}), bytes);
  const auto feed = [&](std::size_t from, std::size_t to, Time now) {
    auto piece = std::span<const std::byte>(bytes).subspan(from, to - from);
    bool found = false;
    while (intake.next(piece, now)) found = true;
    return found;
  };
  EXPECT_FALSE(intake.slow_since());
  EXPECT_FALSE(feed(0, 10, Time(1s)));
  EXPECT_FALSE(feed(10, 45, Time(2s)));
  EXPECT_EQ(intake.slow_since(), Time(1s));
  const auto size = bytes.size();
  (void)writer.write(MessageType::kAccepted, encode(Accepted{}), bytes);
  EXPECT_TRUE(feed(45, size + 1, Time(3s)));  // the end of one and the first byte of the next
  EXPECT_EQ(intake.slow_since(), Time(3s));
  EXPECT_TRUE(feed(size + 1, bytes.size(), Time(4s)));
  EXPECT_FALSE(intake.slow_since());
  EXPECT_TRUE(intake.is_greeted());
  EXPECT_FALSE(intake.finish());
}

TEST(IntakeTest, ProgressIsMadeByBytes) {
  Intake intake({.progress_bytes = 1000}, Party::kSite);
  FrameWriter writer;
  Bytes bytes;
  (void)writer.write(MessageType::kHello, encode(Hello{.name = "a", .instance = "b"}), bytes);
  const std::size_t begin = bytes.size();
  (void)write_chunk(writer, {.stream = 1, .bytes = Bytes(5000)}, bytes);
  const auto feed = [&](std::size_t from, std::size_t to, Time now) {
    auto piece = std::span<const std::byte>(bytes).subspan(from, to - from);
    while (intake.next(piece, now)) {
    }
  };
  feed(0, begin + 1, Time(1s));
  EXPECT_EQ(intake.slow_since(), Time(1s));
  feed(begin + 1, begin + 1000, Time(2s));  // 999 more
  EXPECT_EQ(intake.slow_since(), Time(1s));
  feed(begin + 1000, begin + 1001, Time(3s));
  EXPECT_EQ(intake.slow_since(), Time(3s));
  feed(begin + 1001, begin + 4000, Time(4s));  // counted from here on
  EXPECT_EQ(intake.slow_since(), Time(4s));
  feed(begin + 4000, begin + 4999, Time(5s));
  EXPECT_EQ(intake.slow_since(), Time(4s));
  feed(begin + 4999, bytes.size(), Time(6s));
  EXPECT_FALSE(intake.slow_since());
}

}  // namespace
}  // namespace convoy::net
