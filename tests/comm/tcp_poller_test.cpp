// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "comm/tcp/internal/poller.h"

namespace convoy::comm::tcp {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Sleeps that nothing ends last a second; woken ones far less.
constexpr auto kWoken = 500ms;

struct Pair {
  Descriptor here;
  Descriptor there;

  Pair() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    here = Descriptor(ends[0]);
    there = Descriptor(ends[1]);
  }
};

TEST(TcpPoller, DataEndsASleepAndIsReady) {
  Poller poller;
  Pair pair;
  poller.add(pair.here.get(), 7);
  std::jthread writer([&] {
    std::this_thread::sleep_for(30ms);
    EXPECT_EQ(::send(pair.there.get(), "x", 1, 0), 1);
  });
  const auto start = Clock::now();
  poller.wait(poller.ticket(), 10s);
  EXPECT_LT(Clock::now() - start, kWoken);
  const auto ready = poller.ready();
  ASSERT_EQ(ready.size(), 1U);
  EXPECT_EQ(ready[0].number, 7U);
  EXPECT_TRUE(ready[0].to_read);
  EXPECT_FALSE(ready[0].to_write);
}

TEST(TcpPoller, RoomIsWaitedForOnlyWhenAskedFor) {
  Poller poller;
  Pair pair;
  poller.add(pair.here.get(), 7);
  EXPECT_TRUE(poller.ready().empty());
  poller.wait_for_room(pair.here.get(), 7, true);
  const auto ready = poller.ready();
  ASSERT_EQ(ready.size(), 1U);
  EXPECT_TRUE(ready[0].to_write);
  poller.wait_for_room(pair.here.get(), 7, false);
  EXPECT_TRUE(poller.ready().empty());
}

TEST(TcpPoller, ASignalEndsAllSleepsAlthoughOthersLookAtTheSockets) {
  Poller poller;
  std::atomic<bool> over{false};
  std::jthread looker([&] {
    while (!over) (void)poller.ready();
  });
  for (int round = 0; round < 20; ++round) {
    std::vector<std::jthread> sleepers;
    for (int i = 0; i < 3; ++i) {
      sleepers.emplace_back([&, ticket = poller.ticket()] {
        const auto start = Clock::now();
        poller.wait(ticket, 10s);
        EXPECT_LT(Clock::now() - start, kWoken);
      });
    }
    std::this_thread::sleep_for(5ms);
    poller.signal();
  }
  over = true;
}

TEST(TcpPoller, ASignalBetweenTicketAndSleepIsNotMissed) {
  Poller poller;
  const auto ticket = poller.ticket();
  poller.signal();
  const auto start = Clock::now();
  poller.wait(ticket, 10s);
  EXPECT_LT(Clock::now() - start, kWoken);
}

}  // namespace
}  // namespace convoy::comm::tcp
