// SPDX-License-Identifier: Apache-2.0
#include "trainer/clock_comparison.h"

#include <gtest/gtest.h>

#include "comm/local/local.h"

namespace convoy::trainer {
namespace {

using namespace std::chrono_literals;
using Clock = Timeline::Clock;

TEST(ClockComparison, FindsHowFarEachRankIsAhead) {
  comm::local::run(4, [](comm::Communicator& communicator) {
    const auto shift = communicator.rank() == 2 ? -3600s : communicator.rank() * 100s;
    const auto reading = compare_clocks(communicator, [&] { return Clock::now() + shift; });
    EXPECT_NEAR(static_cast<double>((reading.ahead - shift).count()) * 1e-9, 0.0, 0.02)
        << "rank " << communicator.rank();
    EXPECT_NEAR(static_cast<double>((reading.at - shift - Clock::now()).count()) * 1e-9, 0.0, 1.0);
  });
}

TEST(ClockComparison, ThreadsHaveOneClock) {
  comm::local::run(
      3, [](comm::Communicator& communicator) { EXPECT_TRUE(have_one_clock(communicator)); });
}

TEST(ClockComparison, DriftIsEven) {
  const Clock::time_point start(100s);
  const ClockReading first{start, 1000us};
  const ClockReading second{start + 10s, 3000us};
  EXPECT_EQ(ahead_at(first, second, start), 1000us);
  EXPECT_EQ(ahead_at(first, second, start + 5s), 2000us);
  EXPECT_EQ(ahead_at(first, second, start + 10s), 3000us);
  EXPECT_EQ(ahead_at(first, first, start + 5s), 1000us);
}

}  // namespace
}  // namespace convoy::trainer
