// SPDX-License-Identifier: Apache-2.0
// Peers that dawdle are cut off; slow links and busy users are waited for.
#include <gtest/gtest.h>
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

/// For a whole chunk it needs twice as long as nothing may happen.
TEST(HostilePace, SlowLinksAreWaitedFor) {
  Hub hub([](auto& options) { patient_for(options, 20s, 1500ms); });
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
    std::this_thread::sleep_for(200ms);
  }
  EXPECT_GT(std::chrono::steady_clock::now() - began, 3s);
  EXPECT_TRUE(hub.user(0)->wait_for_bytes(large.size()));
  EXPECT_FALSE(hub.user(0)->why());
}

/// The socket has room for a piece only now and then, but what it holds is taken all the time.
TEST(HostilePace, SlowReadersAreWaitedFor) {
  Hub hub(
      [](auto& options) {
        patient_for(options, 20s, 2s);
        options.limits.queued_bytes = 7 * net::kMaxChunkBytes;
      },
      Hub::echo());
  RawSocket socket(hub.port());
  const int little = 256 << 10;  // the other megabytes stay at the hub
  (void)::setsockopt(socket.descriptor(), SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
  RawPeer peer(std::move(socket), members().site, false);
  ASSERT_TRUE(peer.write(hello()));
  const auto connection = hub.connection(0);
  constexpr std::size_t kEnough = 5 * net::kMaxChunkBytes / 2;
  constexpr std::size_t kRecord = std::size_t{16} << 10;
  connection->post([connection] {
    const Bytes bytes(net::kMaxChunkBytes);
    for (int i = 0; i < 5; ++i) connection->send_chunk({.stream = 1, .bytes = bytes});
  });
  std::size_t came = 0;
  while (came < kEnough && !hub.user(0)->why()) {
    came += peer.read_some().size();
    if (came % (std::size_t{128} << 10) < kRecord) std::this_thread::sleep_for(300ms);
  }
  EXPECT_GE(came, kEnough);
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

}  // namespace
}  // namespace convoy::tests
