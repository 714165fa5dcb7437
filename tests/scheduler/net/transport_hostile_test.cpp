// SPDX-License-Identifier: Apache-2.0
// Peers that break the rules of the protocol or dawdle: each is answered where it can be, logged
// and cut off, and nobody else notices.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>

#include "scheduler/net/chunk.h"
#include "tests/scheduler/net/log_capture.h"
#include "tests/scheduler/net/raw_peer.h"
#include "tests/scheduler/net/transport_kit.h"

namespace convoy::tests {
namespace {

using net::Bytes;
using net::MessageType;

/// A hub, and a peer with a good certificate that has said Hello.
class Hostile : public ::testing::Test {
 protected:
  /// What the hub sends before it closes, when it gets `bytes` after the Hello.
  std::string answer_to(std::span<const std::byte> bytes) {
    EXPECT_TRUE(peer_.write(bytes));
    return summary(peer_.read_all(), net::Party::kServer);
  }
  Bytes frame(MessageType type, std::span<const std::byte> body = {}) {
    Bytes bytes;
    (void)peer_.writer.write(type, body, bytes);
    return bytes;
  }

  LogCapture log_;
  Hub hub_{[](auto& options) { options.limits.messages_per_second = 2.0; }, Hub::echo()};
  RawPeer peer_{hub_.port(), members().site};
  bool greeted_ = peer_.write(hello());
};

TEST_F(Hostile, GarbageIsRefused) {
  EXPECT_EQ(answer_to(net::bytes_of_text("GET / HTTP/1.1\r\n\r\n")), "Welcome, Refusal bad frame");
  ASSERT_TRUE(hub_.user(0)->wait_for_end());
  EXPECT_EQ(hub_.user(0)->why(),
            "refused by this end: bad frame: garbage: this is no frame of the protocol: its first "
            "bytes are others");
  EXPECT_TRUE(log_.holds("127.0.0.1:")) << log_.text();
  EXPECT_TRUE(log_.holds("(clinic-a): refused: bad frame: garbage")) << log_.text();
  EXPECT_EQ(hub_.user(0)->messages().size(), 1U);
}

TEST_F(Hostile, DamagedFramesAreRefused) {
  auto bytes = frame(MessageType::kProgress, net::encode(net::Progress{}));
  bytes.back() ^= std::byte{1};
  EXPECT_EQ(answer_to(bytes), "Welcome, Refusal bad frame");
  EXPECT_TRUE(log_.holds("damaged")) << log_.text();
}

TEST_F(Hostile, OversizedFramesAreRefusedAtTheirHeader) {
  net::FrameWriter writer({.control_bytes = std::size_t{1} << 20});
  Bytes oversized;
  (void)writer.write(MessageType::kProgress, {}, oversized);  // has the Hello's number: not sent
  oversized.clear();
  (void)writer.write(MessageType::kProgress, Bytes((std::size_t{64} << 10) + 1), oversized);
  oversized.resize(net::kFrameHeaderBytes);
  EXPECT_EQ(answer_to(oversized), "Welcome, Refusal bad frame");
  EXPECT_TRUE(log_.holds("oversized")) << log_.text();
}

TEST_F(Hostile, ReplayedFramesAreRefused) {
  const auto bytes = frame(MessageType::kProgress, net::encode(net::Progress{}));
  auto twice = bytes;
  twice.insert(twice.end(), bytes.begin(), bytes.end());
  EXPECT_EQ(answer_to(twice), "Welcome, Accepted, Refusal bad frame");
  EXPECT_TRUE(log_.holds("replayed")) << log_.text();
}

TEST_F(Hostile, TruncatedFramesAreTold) {
  auto bytes = frame(MessageType::kProgress, net::encode(net::Progress{}));
  bytes.pop_back();
  ASSERT_TRUE(peer_.write(bytes));
  (void)SSL_shutdown(&peer_.ssl());
  ASSERT_TRUE(hub_.user(0)->wait_for_end());
  EXPECT_NE(hub_.user(0)->why()->find("truncated"), std::string::npos) << *hub_.user(0)->why();
}

TEST_F(Hostile, MessagesOfOthersAreRefused) {
  EXPECT_EQ(answer_to(frame(MessageType::kWelcome, net::encode(welcome()))),
            "Welcome, Refusal not allowed");
}

TEST_F(Hostile, ASecondHelloIsRefused) {
  EXPECT_EQ(answer_to(frame(MessageType::kHello, net::encode(hello()))),
            "Welcome, Refusal unexpected");
}

TEST_F(Hostile, MalformedMessagesAreRefused) {
  EXPECT_EQ(answer_to(frame(MessageType::kJoin, Bytes(7, std::byte{0xff}))),
            "Welcome, Refusal malformed");
}

TEST_F(Hostile, UnknownTypesAreAnsweredAndTheConnectionGoesOn) {
  ASSERT_TRUE(peer_.write(frame(static_cast<MessageType>(999), Bytes(100))));
  ASSERT_TRUE(peer_.write(net::Progress{}));
  ASSERT_TRUE(hub_.user(0)->wait_for_messages(2));
  close(hub_.connection(0));
  const auto frames = peer_.read_all();
  EXPECT_EQ(summary(frames, net::Party::kServer), "Welcome, Refusal unknown type, Accepted");
  EXPECT_EQ(frames.frames.at(1).answers, 2U);
}

TEST_F(Hostile, TooManyMessagesAreRefused) {
  Bytes bytes;
  for (int i = 0; i < 40; ++i) {  // 20 in ten seconds are let through
    (void)peer_.writer.write(MessageType::kProgress, net::encode(net::Progress{}), bytes);
  }
  ASSERT_TRUE(peer_.write(bytes));
  const auto frames = peer_.read_all();
  const auto text = summary(frames, net::Party::kServer);
  EXPECT_EQ(text.substr(text.rfind(", ")), ", Refusal too much") << text;
  EXPECT_EQ(frames.frames.size(), 21U);
}

TEST(HostileGreeting, AnythingBeforeHelloIsRefused) {
  Hub hub({}, Hub::echo());
  RawPeer peer(hub.port(), members().site);
  ASSERT_TRUE(peer.write(net::Progress{}));
  EXPECT_EQ(summary(peer.read_all(), net::Party::kServer), "Refusal unexpected");
  RawPeer other(hub.port(), members().site);
  const Bytes five(5);
  Bytes chunk;
  (void)net::write_chunk(other.writer, {.stream = 1, .bytes = five}, chunk);
  ASSERT_TRUE(other.write(chunk));
  EXPECT_EQ(summary(other.read_all(), net::Party::kServer), "Refusal unexpected");
  EXPECT_EQ(hub.user(0)->messages().size() + hub.user(1)->messages().size(), 0U);
}

TEST(HostileGreeting, OperatorsSendNoChunks) {
  Hub hub({}, Hub::echo());
  RawPeer peer(hub.port(), members().anna);
  auto greeting = hello();
  greeting.party = net::Party::kOperator;
  ASSERT_TRUE(peer.write(greeting));
  const Bytes five(5);
  Bytes chunk;
  (void)net::write_chunk(peer.writer, {.stream = 1, .bytes = five}, chunk);
  ASSERT_TRUE(peer.write(chunk));
  EXPECT_EQ(summary(peer.read_all(), net::Party::kServer), "Welcome, Refusal not allowed");
  EXPECT_EQ(hub.user(0)->bytes(), 0U);
}

/// Both lie in one packet, and TLS has taken them from the socket when the handshake is over.
TEST(HostileHandshake, AHelloMayComeTogetherWithItsEnd) {
  Hub hub([](auto& options) { patient_for(options, 60s, 60s); }, Hub::echo());
  RawSocket socket(hub.port());
  const auto hold_packets = [descriptor = socket.descriptor()](int on) {
    return ::setsockopt(descriptor, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)) == 0;
  };
  ASSERT_TRUE(hold_packets(1));  // the first flight goes out after 200 ms all the same
  RawPeer peer(std::move(socket), members().site, false);
  ASSERT_TRUE(peer.write(hello()));
  ASSERT_TRUE(hold_packets(0));
  EXPECT_TRUE(hub.user(0)->wait_for_messages(1));
}

TEST(HostileHandshake, WhatIsNoTlsIsDroppedAndLogged) {
  const LogCapture log;
  Hub hub;
  RawSocket stranger(hub.port());
  ASSERT_TRUE(stranger.write("GET / HTTP/1.1\r\nHost: hub\r\n\r\n"));
  (void)stranger.read(100);  // an alert at most
  EXPECT_TRUE(eventually([&] {
    return log.holds("refused: handshake: the peer does not speak TLS");
  })) << log.text();
  RawSocket noise(hub.port());
  ASSERT_TRUE(noise.write(std::string(3000, '\x5a')));
  EXPECT_LT(noise.read(100).size(), 100U);
  EXPECT_EQ(hub.listener().connections(), 0U);
}

TEST(HostileHandshake, AScanFillsNoLog) {
  const LogCapture log;
  Hub hub;
  for (int i = 0; i < 40; ++i) {
    RawSocket stranger(hub.port());
    ASSERT_TRUE(stranger.write("GET / HTTP/1.1\r\nHost: hub\r\n\r\n"));
    (void)stranger.read(100);
  }
  RawSocket elsewhere(hub.port(), "127.0.0.2");
  ASSERT_TRUE(elsewhere.write("GET / HTTP/1.1\r\nHost: hub\r\n\r\n"));
  EXPECT_TRUE(eventually([&] { return log.holds("127.0.0.2:"); })) << log.text();
  const std::string text = log.text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 11) << text;
}

/// A socket that is closed while it has unread bytes resets the connection, and elsewhere than on
/// loopback that may overtake the alert.
TEST(HostileHandshake, WhoIsRefusedIsReadOut) {
  Hub hub;
  Federation other;
  RawPeer peer(hub.port(), other.member("clinic-a", net::Role::kSite));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(peer.write(Bytes(10000))) << "reset, not closed";
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_TRUE(peer.read_some().empty());
  EXPECT_NE(peer.problem().find("alert"), std::string::npos) << peer.problem();
}

TEST(HostileHandshake, DawdlersAreCutOff) {
  const LogCapture log;
  Hub hub([](auto& options) { patient_for(options, 300ms, 20s); });
  const auto began = std::chrono::steady_clock::now();
  RawSocket silent(hub.port());
  RawSocket slow(hub.port());
  ASSERT_TRUE(slow.write("\x16"));
  EXPECT_TRUE(silent.is_closed_by_other());
  EXPECT_TRUE(slow.is_closed_by_other());
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_GE(took, 290ms);
  EXPECT_LT(took, 10s);
  EXPECT_TRUE(eventually([&] { return log.holds("it was not over within 300ms"); })) << log.text();
}

TEST(HostileHandshake, PeersWithoutAMessageAreCutOff) {
  Hub hub([](auto& options) { patient_for(options, 300ms, 20s); });
  RawPeer peer(hub.port(), members().site);
  ASSERT_TRUE(peer.is_up());
  EXPECT_EQ(summary(peer.read_all(), net::Party::kServer), "Goodbye");
  ASSERT_TRUE(hub.user(0)->wait_for_end());
  EXPECT_EQ(hub.user(0)->why(), "no message within 300ms of the handshake");
}

TEST(HostileTls, NoSessionIsResumed) {
  Hub hub({}, Hub::echo());
  RawPeer peer(hub.port(), members().site);
  ASSERT_TRUE(peer.write(hello()));
  ASSERT_FALSE(peer.read_some().empty());  // a ticket would have come by now
  SSL_SESSION* session = SSL_get_session(&peer.ssl());
  EXPECT_EQ(SSL_SESSION_is_resumable(session), 0);
  EXPECT_FALSE(SSL_SESSION_has_ticket(session));
  EXPECT_EQ(SSL_SESSION_get_max_early_data(session), 0U);
}

TEST(HostileUser, WhatAUserThrowsEndsItsConnectionOnly) {
  const LogCapture log;
  Hub hub({}, [](Recorder& user, const auto&) {
    user.message_hook = [](const net::Message& message, auto) {
      if (std::holds_alternative<net::Progress>(message)) throw std::runtime_error("no such thing");
    };
  });
  RawPeer first(hub.port(), members().site);
  RawPeer second(hub.port(), members().site);
  ASSERT_TRUE(first.write(hello()) && second.write(hello()));
  ASSERT_TRUE(hub.user(0)->wait_for_messages(1) && hub.user(1)->wait_for_messages(1));
  ASSERT_TRUE(first.write(net::Progress{}));
  EXPECT_EQ(summary(first.read_all(), net::Party::kServer), "");
  EXPECT_TRUE(eventually([&] { return hub.listener().connections() == 1; }));
  EXPECT_TRUE(hub.user(0)->why() == "no such thing" || hub.user(1)->why() == "no such thing");
  EXPECT_TRUE(log.holds("(clinic-a): no such thing")) << log.text();
}

}  // namespace
}  // namespace convoy::tests
