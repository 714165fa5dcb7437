// SPDX-License-Identifier: Apache-2.0
#include "launch/process/stop_policy.h"

#include <gtest/gtest.h>

#include <csignal>

namespace convoy::launch {
namespace {

using std::chrono::seconds;

const StopPolicy::Clock::time_point kStart{};

TEST(StopPolicy, SendsNothingWhileNobodyAsks) {
  StopPolicy policy(seconds(60));
  EXPECT_FALSE(policy.on_time(kStart + seconds(100'000)));
}

TEST(StopPolicy, AsksThenTerminatesThenKills) {
  StopPolicy policy(seconds(60));
  EXPECT_EQ(policy.on_signal(kStart, true), SIGUSR1);
  EXPECT_FALSE(policy.on_time(kStart + seconds(59)));
  EXPECT_EQ(policy.on_time(kStart + seconds(60)), SIGTERM);
  EXPECT_FALSE(policy.on_time(kStart + seconds(69)));
  EXPECT_EQ(policy.on_time(kStart + seconds(70)), SIGKILL);
}

TEST(StopPolicy, SecondSignalTerminatesAtOnce) {
  StopPolicy policy(seconds(60));
  (void)policy.on_signal(kStart, true);
  EXPECT_EQ(policy.on_signal(kStart + seconds(1), true), SIGTERM);
  EXPECT_EQ(policy.on_time(kStart + seconds(11)), SIGKILL);
}

TEST(StopPolicy, TerminatesRanksThatCannotSaveYet) {
  StopPolicy policy(seconds(60));
  EXPECT_EQ(policy.on_signal(kStart, false), SIGTERM);
}

}  // namespace
}  // namespace convoy::launch
