// SPDX-License-Identifier: Apache-2.0
// What one peer, one address and one member may take of a server.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "scheduler/net/chunk.h"
#include "tests/scheduler/net/log_capture.h"
#include "tests/scheduler/net/raw_peer.h"
#include "tests/scheduler/net/transport_kit.h"

namespace convoy::tests {
namespace {

void patient_for(net::ListenerOptions& options, std::chrono::milliseconds handshake,
                 std::chrono::milliseconds progress) {
  options.limits.handshake = handshake;
  options.limits.progress = progress;
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

}  // namespace
}  // namespace convoy::tests
