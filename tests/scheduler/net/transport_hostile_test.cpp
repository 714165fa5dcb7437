// SPDX-License-Identifier: Apache-2.0
// Peers that break the rules of the protocol or dawdle: each is answered where it can be, logged
// and cut off, and nobody else notices.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <future>

#include "scheduler/net/chunk.h"
#include "tests/scheduler/net/log_capture.h"
#include "tests/scheduler/net/raw_peer.h"
#include "tests/scheduler/net/transport_kit.h"

namespace convoy::tests {
namespace {

using net::Bytes;
using net::MessageType;

void patient_for(net::ListenerOptions& options, std::chrono::milliseconds handshake,
                 std::chrono::milliseconds progress) {
  options.limits.handshake = handshake;
  options.limits.progress = progress;
}

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

TEST(HostilePace, FramesThatDoNotEndAreCutOff) {
  const LogCapture log;
  Hub hub([](auto& options) { patient_for(options, 20s, 300ms); }, Hub::echo());
  RawPeer peer(hub.port(), members().site);
  ASSERT_TRUE(peer.write(hello()));
  const Bytes long_piece(5000);
  Bytes chunk;
  (void)net::write_chunk(peer.writer, {.stream = 1, .bytes = long_piece}, chunk);
  // A byte now and then: each is progress, the frame is not.
  std::size_t sent = 0;
  while (sent < chunk.size() && peer.write(std::span(chunk).subspan(sent, 1))) {
    ++sent;
    std::this_thread::sleep_for(20ms);
    if (hub.user(0)->why()) break;
  }
  EXPECT_LT(sent, 200U);
  ASSERT_TRUE(hub.user(0)->wait_for_end());
  EXPECT_EQ(hub.user(0)->why(), "a frame of which less than 65536 bytes came in 300ms");
  EXPECT_EQ(summary(peer.read_all(), net::Party::kServer), "Welcome, Goodbye");
  EXPECT_TRUE(log.holds("a frame of which less than")) << log.text();
}

std::chrono::steady_clock::time_point last_taken(
    const std::shared_ptr<net::Connection>& connection) {
  std::promise<std::chrono::steady_clock::time_point> taken;
  connection->post([&] { taken.set_value(connection->last_taken()); });
  return taken.get_future().get();
}

/// For a whole chunk it needs several times as long as nothing may happen.
TEST(HostilePace, SlowLinksAreWaitedFor) {
  Hub hub([](auto& options) { patient_for(options, 20s, 500ms); });
  RawPeer peer(hub.port(), members().site);
  ASSERT_TRUE(peer.write(hello()));
  const Bytes large(net::kMaxChunkBytes);
  Bytes chunk;
  (void)net::write_chunk(peer.writer, {.stream = 1, .bytes = large}, chunk);
  constexpr std::size_t kPiece = std::size_t{64} << 10;
  const auto began = std::chrono::steady_clock::now();
  for (std::size_t sent = 0; sent < chunk.size(); sent += kPiece) {
    const auto rest = std::span<const std::byte>(chunk).subspan(sent);
    ASSERT_TRUE(peer.write(rest.first(std::min(kPiece, rest.size())))) << sent;
    std::this_thread::sleep_for(100ms);
  }
  EXPECT_GT(std::chrono::steady_clock::now() - began, 1500ms);
  EXPECT_TRUE(hub.user(0)->wait_for_bytes(large.size()));
  EXPECT_FALSE(hub.user(0)->why());
}

/// The socket has room for a piece only now and then, but what it holds is taken all the time.
TEST(HostilePace, SlowReadersAreWaitedFor) {
  Hub hub(
      [](auto& options) {
        patient_for(options, 20s, 400ms);
        options.limits.queued_bytes = 7 * net::kMaxChunkBytes;
      },
      Hub::echo());
  RawSocket socket(hub.port());
  const int little = 256 << 10;  // the other megabytes stay at the hub
  (void)::setsockopt(socket.descriptor(), SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
  RawPeer peer(std::move(socket), members().site, false);
  ASSERT_TRUE(peer.write(hello()));
  const auto connection = hub.connection(0);
  constexpr std::size_t kTotal = 5 * net::kMaxChunkBytes;
  constexpr std::size_t kRecord = std::size_t{16} << 10;
  connection->post([connection] {
    const Bytes bytes(net::kMaxChunkBytes);
    for (int i = 0; i < 5; ++i) connection->send_chunk({.stream = 1, .bytes = bytes});
  });
  std::size_t came = 0;
  while (came < kTotal && !hub.user(0)->why()) {
    came += peer.read_some().size();
    if (came % (std::size_t{128} << 10) < kRecord) std::this_thread::sleep_for(100ms);
  }
  EXPECT_GE(came, kTotal);
  EXPECT_FALSE(hub.user(0)->why()) << *hub.user(0)->why();
  EXPECT_LT(std::chrono::steady_clock::now() - last_taken(connection), 2s);
}

/// The system of a process that stands still goes on to take them.
TEST(HostilePace, SignsOfLifeThatAreTakenAreNoSignOfLife) {
  Hub hub({}, Hub::echo());
  RawPeer peer(hub.port(), members().site);
  ASSERT_TRUE(peer.write(hello()));
  const auto connection = hub.connection(0);
  const auto began = last_taken(connection);
  for (int i = 0; i < 20; ++i) {
    send(connection, net::Accepted{.text = std::string(900, 'x')});
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(last_taken(connection), began);
}

TEST(HostilePace, PeersThatTakeNothingAreCutOff) {
  Hub hub(
      [](auto& options) {
        patient_for(options, 20s, 400ms);
        options.limits.queued_bytes = 31 * net::kMaxChunkBytes;
      },
      Hub::echo());
  RawPeer peer(hub.port(), members().site);
  ASSERT_TRUE(peer.write(hello()));
  const auto connection = hub.connection(0);
  connection->post([connection] {
    const Bytes bytes(net::kMaxChunkBytes);
    for (int i = 0; i < 30; ++i) connection->send_chunk({.stream = 1, .bytes = bytes});
    EXPECT_GE(connection->queued_bytes(), 30 * net::kMaxChunkBytes);
  });
  ASSERT_TRUE(hub.user(0)->wait_for_end());
  // Whoever notices first: the deadline here or the system's.
  const std::string why = *hub.user(0)->why();
  EXPECT_TRUE(why == "the other end has taken nothing for 400ms" || why == "Connection timed out")
      << why;
}

TEST(HostilePace, ABusyUserIsNotThePeersDelay) {
  Hub hub([](auto& options) { patient_for(options, 300ms, 300ms); },
          [](Recorder& user, const auto&) {
            user.message_hook = [](const auto&, auto) { std::this_thread::sleep_for(700ms); };
          });
  auto options = dialer_options(hub.port());
  options.limits.queued_bytes = 21 * net::kMaxChunkBytes;
  net::Dialer dialer(options);
  const auto user = std::make_shared<Recorder>();
  const auto connection = dialer.dial(user);
  connection->post([connection] {
    (void)connection->send(hello());
    // Longer than what the sockets hold: the hub reads it in pieces after its long call.
    const Bytes bytes(net::kMaxChunkBytes);
    for (int i = 0; i < 20; ++i) connection->send_chunk({.stream = 1, .bytes = bytes});
  });
  ASSERT_TRUE(hub.user(0)->wait_for_bytes(20 * net::kMaxChunkBytes));
  EXPECT_FALSE(hub.user(0)->why());
}

/// Half a frame is there when the hub's user takes longer than a frame may.
TEST(HostilePace, TimeInTheUsersCallsIsNotThePeers) {
  std::atomic<bool> blocks = false;
  std::promise<void> has_blocked;
  Hub hub([](auto& options) { patient_for(options, 20s, 2s); },
          [&](Recorder& user, const auto&) {
            user.tick_hook = [&] {
              if (!blocks.exchange(false)) return;
              std::this_thread::sleep_for(2500ms);
              has_blocked.set_value();
            };
          });
  RawPeer peer(hub.port(), members().site);
  const Bytes five(5);
  Bytes bytes;
  (void)peer.writer.write(MessageType::kHello, net::encode(hello()), bytes);
  (void)net::write_chunk(peer.writer, {.stream = 1, .bytes = five}, bytes);
  const auto last = std::span<const std::byte>(bytes).last(1);
  ASSERT_TRUE(peer.write(std::span<const std::byte>(bytes).first(bytes.size() - 1)));
  ASSERT_TRUE(hub.user(0)->wait_for_messages(1));
  blocks = true;
  has_blocked.get_future().wait();
  std::this_thread::sleep_for(100ms);  // for a tick that sees no more bytes
  ASSERT_TRUE(peer.write(last));
  EXPECT_TRUE(hub.user(0)->wait_for_bytes(5));
  EXPECT_FALSE(hub.user(0)->why());
}

/// Each question is small, the rate is allowed, and the peer reads all the time.
TEST(HostileLimits, WhoAsksForMoreThanItReadsIsCutOff) {
  const LogCapture log;
  constexpr std::size_t kMost = 4 * net::kMaxChunkBytes;
  std::atomic<std::size_t> most_queued = 0;
  Hub hub([](auto& options) { options.limits.messages_per_second = 1e6; },
          [&](Recorder& user, const std::shared_ptr<net::Connection>& connection) {
            user.message_hook = [&, connection](const net::Message&, std::uint64_t id) {
              (void)connection->send(net::JobOffer{.job = std::string(48000, 'x')}, id);
              most_queued = std::max(most_queued.load(), connection->queued_bytes());
            };
          });
  RawPeer peer(hub.port(), members().site);
  ASSERT_TRUE(peer.write(hello()));
  const auto user = hub.user(0);
  for (int i = 0; i < 5000 && !user->why(); ++i) {
    (void)peer.write(net::Progress{});
    if (i % 10 == 0) (void)peer.read_some();
  }
  ASSERT_TRUE(user->wait_for_end());
  EXPECT_EQ(user->why(),
            "more than 4194304 bytes wait to be sent: the other end asks for more than it reads");
  EXPECT_TRUE(log.holds("(clinic-a): more than 4194304 bytes")) << log.text();
  EXPECT_GT(most_queued, kMost - 60000);
  EXPECT_LE(most_queued, kMost);
}

TEST(HostileLimits, AnAddressHasOnlySoManyConnections) {
  const LogCapture log;
  Hub hub([](auto& options) { options.max_connections_per_address = 2; });
  const RawPeer first(hub.port(), members().site);
  auto second = std::make_unique<RawPeer>(hub.port(), members().site);
  ASSERT_TRUE(first.is_up() && second->is_up());
  RawSocket third(hub.port());
  EXPECT_TRUE(third.is_closed_by_other());
  EXPECT_TRUE(log.holds("refused: too many connections from its address")) << log.text();
  ASSERT_TRUE(eventually([&] { return hub.listener().connections() == 2; }));
  second.reset();
  ASSERT_TRUE(eventually([&] { return hub.listener().connections() == 1; }));
  EXPECT_TRUE(RawPeer(hub.port(), members().site).is_up());
}

TEST(HostileLimits, MoreConnectionsThanTheLimitAreRefused) {
  Hub hub([](auto& options) { options.max_connections = 1; }, Hub::echo());
  RawPeer first(hub.port(), members().site);
  ASSERT_TRUE(eventually([&] { return hub.listener().connections() == 1; }));
  RawPeer second(hub.port(), members().site);
  EXPECT_EQ(summary(second.read_all(), net::Party::kServer), "Refusal too much");
  ASSERT_TRUE(first.write(hello()));
  EXPECT_TRUE(hub.user(0)->wait_for_messages(1));
}

TEST(HostileLimits, OnlySoManyHandshakesAreUnderWay) {
  Hub hub([](auto& options) {
    options.max_handshakes = 2;
    patient_for(options, 600ms, 20s);
  });
  const RawSocket silent(hub.port());
  const RawSocket mute(hub.port());
  const auto began = std::chrono::steady_clock::now();
  const RawPeer honest(hub.port(), members().site);  // waits in the system's queue
  EXPECT_TRUE(honest.is_up());
  EXPECT_GE(std::chrono::steady_clock::now() - began, 400ms);
}

TEST(HostileLimits, AMemberHasOnlySoManyConnections) {
  const LogCapture log;
  Hub hub([](auto& options) { options.max_connections_per_name = 2; }, Hub::echo());
  RawPeer first(hub.port(), members().site);
  auto second = std::make_unique<RawPeer>(hub.port(), members().site);
  ASSERT_TRUE(eventually([&] { return hub.listener().connections() == 2; }));
  RawPeer third(hub.port(), members().site);
  EXPECT_EQ(summary(third.read_all(), net::Party::kServer), "Refusal too much");
  EXPECT_TRUE(log.holds("refused: too much: too many connections of the site clinic-a"))
      << log.text();
  RawPeer other(hub.port(), members().anna);
  ASSERT_TRUE(eventually([&] { return hub.listener().connections() == 3; }));
  second.reset();
  ASSERT_TRUE(eventually([&] { return hub.listener().connections() == 2; }));
  RawPeer fourth(hub.port(), members().site);
  ASSERT_TRUE(fourth.write(hello()));
  EXPECT_TRUE(hub.user(3)->wait_for_messages(1));
  EXPECT_FALSE(hub.user(0)->why());
}

TEST(HostileLimits, AnAddressThatShakesManyHandsKeepsNobodyElseOut) {
  Hub hub([](auto& options) {
    options.max_handshakes = 4;
    options.max_handshakes_per_address = 3;
    patient_for(options, 5s, 20s);
  });
  std::vector<RawSocket> silent;
  for (int i = 0; i < 20; ++i) silent.emplace_back(hub.port());
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(RawPeer(RawSocket(hub.port(), "127.0.0.2"), members().site, false).is_up());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, 4s);
}

TEST(HostileLimits, AnAddressWithManyHandshakesGetsItsTurn) {
  Hub hub([](auto& options) {
    options.max_handshakes_per_address = 2;
    patient_for(options, 600ms, 20s);
  });
  const RawSocket silent(hub.port());
  const RawSocket mute(hub.port());
  const auto began = std::chrono::steady_clock::now();
  const RawPeer honest(hub.port(), members().site);
  EXPECT_TRUE(honest.is_up());
  EXPECT_GE(std::chrono::steady_clock::now() - began, 400ms);
  EXPECT_TRUE(RawPeer(hub.port(), members().site).is_up());
}

/// What waits for its handshake is let go of.
TEST(HostileLimits, StoppingEndsWhatWaits) {
  Hub hub([](auto& options) { options.max_handshakes_per_address = 1; });
  RawSocket silent(hub.port());
  RawSocket waits(hub.port());
  std::this_thread::sleep_for(100ms);
  hub.listener().stop();
  const auto stopped = std::chrono::steady_clock::now();
  EXPECT_TRUE(silent.is_closed_by_other());
  EXPECT_TRUE(waits.is_closed_by_other());
  EXPECT_LT(std::chrono::steady_clock::now() - stopped, 5s);
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
