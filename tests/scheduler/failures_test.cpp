// SPDX-License-Identifier: Apache-2.0
// Where FedCompass's published code loses work or hangs, and this one must not: one test or more
// for each failure that docs/scheduling.md lists. clients_test.cpp has those about clients that
// come and go, and updates that must not be used.
#include <gtest/gtest.h>

#include <cmath>

#include "base/errors.h"
#include "scheduler/simulator.h"
#include "tests/scheduler/actions.h"

namespace convoy::tests {
namespace {

using namespace scheduler;
using Lines = std::vector<std::string>;

// 1. Lost updates.

TEST(LostUpdates, AClientMayStandInOneSumTwice) {
  Driver driver = two_in_a_group();
  EXPECT_TRUE(aggregations(driver.update(200.0, 1)).empty());
  EXPECT_EQ(aggregations(driver.on_time(250.0)), Lines{"timer [1]"});
  const auto late = driver.update(300.0, 2);
  EXPECT_EQ(of_kind<Late>(late).size(), 1U);
  EXPECT_TRUE(aggregations(late).empty());
  EXPECT_EQ(driver.policy().pending(), 1);
  // Its next update does not overwrite the late one: both count.
  (void)driver.leave(310.0, 1);
  const auto both = driver.update(driver.assigned(2).expected_arrival.value(), 2);
  EXPECT_EQ(aggregations(both), Lines{"complete [2] late [2]"});
  const auto members = of_kind<Aggregate>(both)[0].members;
  EXPECT_EQ(members[0].round, 1);
  EXPECT_EQ(members[1].round, 2);
  EXPECT_EQ(members[0].version, 2) << "a late update keeps the version it was trained from";
  EXPECT_EQ(members[1].version, 3);
  EXPECT_EQ(driver.policy().pending(), 0);
}

TEST(LostUpdates, ALateUpdateIsAnsweredWithTheModelThatDoesNotContainIt) {
  Driver driver = two_in_a_group();
  (void)driver.update(200.0, 1);
  (void)driver.on_time(250.0);
  const std::int64_t before = driver.policy().version();
  (void)driver.update(300.0, 2);
  EXPECT_EQ(driver.policy().version(), before);
  EXPECT_EQ(driver.assigned(2).version, before);
}

TEST(LostUpdates, OldLateUpdatesAreAggregatedAlone) {
  PolicyConfig policy = usual_policy();
  policy.late_flush_after = 7.0;
  Driver driver = two_in_a_group(policy);
  (void)driver.update(200.0, 1);
  (void)driver.on_time(250.0);
  (void)driver.update(300.0, 2);
  EXPECT_EQ(driver.policy().next_timer(), 307.0);
  EXPECT_TRUE(driver.on_time(306.0).empty());
  EXPECT_EQ(aggregations(driver.on_time(307.0)), Lines{"late [] late [2]"});
  EXPECT_FALSE(driver.policy().next_timer());
}

TEST(LostUpdates, OldCanMeanTwiceTheLongestExpectedRound) {
  PolicyConfig policy = usual_policy();
  policy.late_flush_auto = true;
  Driver driver = two_in_a_group(policy);
  (void)driver.update(200.0, 1);
  (void)driver.on_time(250.0);
  (void)driver.update(300.0, 2);
  // Client 1 is expected 100 s after its assignment, client 2 joins it.
  ASSERT_EQ(driver.assigned(1).predicted_arrival, 350.0);
  ASSERT_LT(driver.assigned(2).predicted_arrival.value(), 400.0);
  EXPECT_EQ(driver.policy().next_timer(), 300.0 + 2.0 * 100.0);
}

/// Ten exponential clients with noise, where the published code loses 2 % of all updates and more.
TEST(LostUpdates, NoisyExponentialClientsLoseNone) {
  Scenario scenario;
  scenario.policy = usual_policy();
  scenario.policy.latest_time_factor = 1.2;
  for (int i = 0; i < 10; ++i) {
    const double speed = -0.15 * std::log(1.0 - (i + 0.5) / 10.0);
    scenario.clients.push_back({.id = i, .seconds_per_step = {speed}, .noise = 0.3});
  }
  scenario.arrivals = 3000;
  std::int64_t aggregated = 0;
  std::int64_t flushed = 0;
  const Summary summary = simulate(scenario, [&](std::string_view line) {
    if (line.starts_with(R"({"kind":"aggregate")")) ++aggregated;
    if (line.starts_with(R"({"kind":"flush")")) ++flushed;
  });
  EXPECT_EQ(summary.counts.received, 3000);
  EXPECT_GT(summary.counts.late, 100);
  EXPECT_EQ(summary.counts.refused, 0);
  EXPECT_EQ(summary.counts.aggregated + summary.pending, 3000);
  EXPECT_EQ(summary.aggregations, aggregated);
  EXPECT_EQ(flushed, 1);
}

TEST(LostUpdates, TheEndFlushesWhatIsPending) {
  Driver driver = two_in_a_group();
  (void)driver.join(250.0, 3);
  (void)driver.update(200.0, 1);
  (void)driver.on_time(250.0);
  (void)driver.update(300.0, 2);
  (void)driver.update(320.0, 1);
  ASSERT_EQ(driver.policy().pending(), 2);
  const std::int64_t version = driver.policy().version();
  const auto flush = of_kind<Flush>(driver.policy().shutdown(321.0));
  ASSERT_EQ(flush.size(), 1U);
  EXPECT_EQ(flush[0].waiting, std::vector<ClientId>{1});
  EXPECT_EQ(flush[0].late, std::vector<ClientId>{2});
  ASSERT_EQ(flush[0].members.size(), 2U);
  EXPECT_TRUE(flush[0].members[0].late);
  EXPECT_FALSE(flush[0].members[1].late);
  EXPECT_GT(flush[0].members[1].coefficient, 0.0);
  EXPECT_EQ(flush[0].version, version + 1);
  EXPECT_EQ(driver.policy().pending(), 0);
  expect_conserved(driver.policy());
  EXPECT_EQ(of_kind<Refuse>(driver.update(330.0, 2)).size(), 1U);
  EXPECT_TRUE(driver.policy().shutdown(331.0).empty());
}

// 2. Stranded groups.

TEST(StrandedGroups, ALateLastMemberFindsItsGroupAggregated) {
  Driver driver = two_in_a_group();
  (void)driver.update(200.0, 1);
  // The timer's callback has not run yet.
  const auto actions = driver.update(250.5, 2);
  EXPECT_EQ(aggregations(actions), Lines{"timer [1]"});
  EXPECT_EQ(of_kind<Late>(actions).size(), 1U);
  EXPECT_EQ(of_kind<Assign>(actions).size(), 2U);
  EXPECT_TRUE(of_kind<Assign>(actions)[0].client == 1) << "before the event itself";
}

TEST(StrandedGroups, OverdueGroupsGoInTheOrderOfTheirLatestTimes) {
  Driver driver(usual_policy());
  for (const ClientId client : {1, 2, 3, 4}) (void)driver.join(0.0, client);
  (void)driver.update(100.0, 1);  // group 0: 200, 250
  (void)driver.update(100.0, 2);
  (void)driver.update(990.0, 3);  // far slower: a group of its own
  (void)driver.update(990.0, 4);
  ASSERT_NE(driver.assigned(3).group, driver.assigned(1).group);
  (void)driver.update(1000.0, 1);
  const double latest = driver.assigned(3).latest_arrival.value();
  (void)driver.update(latest - 1.0, 3);
  const auto actions = driver.join(latest + 500.0, 9);
  const auto sums = aggregations(actions);
  ASSERT_FALSE(sums.empty());
  EXPECT_EQ(sums.back().substr(0, 9), "timer [3]");
  EXPECT_EQ(of_kind<Assign>(actions).back().client, 9);
}

TEST(StrandedGroups, AnArrivalAtTheLatestTimeIsOnTime) {
  Driver driver = two_in_a_group();
  (void)driver.update(200.0, 1);
  EXPECT_EQ(aggregations(driver.update(250.0, 2)), Lines{"complete [1 2]"});
}

// 3. Dead clients.

TEST(DeadClients, EvictionLetsTheGroupGoOn) {
  PolicyConfig policy = usual_policy();
  policy.evict_after = 120.0;
  Driver driver = two_in_a_group(policy);
  (void)driver.update(200.0, 1);
  EXPECT_EQ(driver.policy().next_timer(), 220.0);
  const auto actions = driver.on_time(220.0);
  EXPECT_EQ(of_kind<Evict>(actions).size(), 1U);
  EXPECT_EQ(aggregations(actions), Lines{"evict [1]"});
  EXPECT_EQ(driver.policy().counts().evicted, 1);
}

TEST(DeadClients, WaitingClientsAreNotEvicted) {
  PolicyConfig policy = usual_policy();
  policy.evict_after = 130.0;
  Driver driver = two_in_a_group(policy);
  (void)driver.update(200.0, 1);
  EXPECT_TRUE(driver.evict(201.0, 1).empty());
  const auto actions = driver.on_time(230.0);
  ASSERT_EQ(of_kind<Evict>(actions).size(), 1U);
  EXPECT_EQ(of_kind<Evict>(actions)[0].client, 2);
}

TEST(DeadClients, AnUpdateAfterEvictionIsLateAndCounts) {
  PolicyConfig policy = usual_policy();
  policy.evict_after = 120.0;
  Driver driver = two_in_a_group(policy);
  (void)driver.update(200.0, 1);
  (void)driver.on_time(220.0);
  // 50 times slower than it was: not refused, and assigned what it can do.
  const auto actions = driver.update(5100.0, 2);
  EXPECT_EQ(of_kind<Late>(actions).size(), 1U);
  EXPECT_TRUE(of_kind<Refuse>(actions).empty());
  const auto assigned = of_kind<Assign>(actions);
  ASSERT_FALSE(assigned.empty());
  const Assign work = driver.assigned(2);
  const double speed = 0.25 * 1.0 + 0.75 * 50.0;
  EXPECT_DOUBLE_EQ(work.predicted_arrival.value() - 5100.0,
                   static_cast<double>(work.local_steps) * speed);
}

TEST(DeadClients, TheFirstRoundHasItsOwnTimeout) {
  PolicyConfig policy = usual_policy();
  policy.evict_after = 1000.0;
  policy.first_round_timeout = 150.0;
  Driver driver(policy);
  (void)driver.join(0.0, 1);
  EXPECT_EQ(driver.policy().next_timer(), 150.0);
  EXPECT_EQ(of_kind<Evict>(driver.on_time(150.0)).size(), 1U);
  const auto actions = driver.update(200.0, 1);
  EXPECT_EQ(of_kind<Late>(actions).size(), 1U) << "treated as late, not as a first report";
  EXPECT_EQ(driver.policy().next_timer(), 200.0 + 1000.0);
}

TEST(DeadClients, AreNotCountedInTheWeights) {
  Driver driver = two_in_a_group();
  (void)driver.evict(150.0, 2);
  const auto sum = of_kind<Aggregate>(driver.update(200.0, 1));
  ASSERT_EQ(sum.size(), 1U);
  // alpha * s(0) * 1 / 1, not 1 / 2.
  EXPECT_EQ(sum[0].members[0].staleness, 1);
  EXPECT_DOUBLE_EQ(sum[0].members[0].coefficient, 0.9 / std::sqrt(2.0));
}

TEST(DeadClients, AnEvictedClientMayJoinAgain) {
  Driver driver = two_in_a_group();
  (void)driver.evict(150.0, 2);
  const auto actions = driver.join(160.0, 2);
  ASSERT_EQ(of_kind<Assign>(actions).size(), 1U);
  EXPECT_EQ(of_kind<Assign>(actions)[0].round, 2);
  EXPECT_EQ(of_kind<Assign>(actions)[0].group, 0) << "its speed is still known";
}

}  // namespace
}  // namespace convoy::tests
