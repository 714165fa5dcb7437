// SPDX-License-Identifier: Apache-2.0
// FedAvg, FedAsync and FedBuff.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/scheduler/actions.h"

namespace convoy::tests {
namespace {

using namespace scheduler;
using Lines = std::vector<std::string>;

PolicyConfig config(Algorithm algorithm) {
  PolicyConfig policy;
  policy.algorithm = algorithm;
  policy.min_local_steps = 20;
  policy.max_local_steps = 100;
  return policy;
}

Driver three(const PolicyConfig& policy) {
  Driver driver(policy);
  for (const ClientId client : {1, 2, 3}) (void)driver.join(0.0, client, 10 * client);
  return driver;
}

TEST(FedAvg, WaitsForAll) {
  Driver driver = three(config(Algorithm::kFedAvg));
  EXPECT_EQ(driver.assigned(1).local_steps, 100) << "all baselines run the most steps";
  EXPECT_TRUE(driver.update(10.0, 2).empty());
  EXPECT_TRUE(driver.update(11.0, 1).empty());
  const auto actions = driver.update(12.0, 3);
  EXPECT_EQ(aggregations(actions), Lines{"complete [2 1 3]"});
  EXPECT_EQ(of_kind<Assign>(actions).size(), 3U);
  EXPECT_EQ(driver.assigned(1).version, 1);
  EXPECT_FALSE(driver.assigned(1).group);
  const auto members = of_kind<Aggregate>(actions)[0].members;
  EXPECT_DOUBLE_EQ(members[0].coefficient, 20.0 / 60.0);
  EXPECT_DOUBLE_EQ(members[2].coefficient, 30.0 / 60.0);
}

TEST(FedAvg, AtTheEndThoseThatHaveNotReportedHaveLearnedNothing) {
  Driver driver = three(config(Algorithm::kFedAvg));
  (void)driver.update(10.0, 2);
  const auto flush = of_kind<Flush>(driver.policy().shutdown(11.0));
  ASSERT_EQ(flush.size(), 1U);
  ASSERT_EQ(flush[0].members.size(), 1U);
  EXPECT_DOUBLE_EQ(flush[0].members[0].coefficient, 20.0 / 60.0);
  EXPECT_EQ(driver.policy().pending(), 0);
}

TEST(FedAvg, ADeadlineEndsTheRoundWithThoseThatHaveReported) {
  PolicyConfig policy = config(Algorithm::kFedAvg);
  policy.deadline = 50.0;
  Driver driver = three(policy);
  (void)driver.update(10.0, 2);
  (void)driver.update(11.0, 1);
  EXPECT_EQ(driver.policy().next_timer(), 50.0);
  const auto actions = driver.on_time(50.0);
  EXPECT_EQ(aggregations(actions), Lines{"timer [2 1]"});
  EXPECT_DOUBLE_EQ(of_kind<Aggregate>(actions)[0].members[0].coefficient, 20.0 / 30.0);
  EXPECT_EQ(of_kind<Assign>(actions).size(), 2U);
  // The straggler's round is over; it takes part again from the next round on.
  const auto late = driver.update(60.0, 3);
  ASSERT_EQ(of_kind<Refuse>(late).size(), 1U);
  EXPECT_EQ(of_kind<Refuse>(late)[0].reason, "its round is over");
  EXPECT_TRUE(of_kind<Assign>(late).empty());
  (void)driver.update(70.0, 1);
  EXPECT_EQ(of_kind<Assign>(driver.update(71.0, 2)).size(), 3U);
}

TEST(FedAvg, ADeadlineWaitsForTheFewestUpdates) {
  PolicyConfig policy = config(Algorithm::kFedAvg);
  policy.deadline = 50.0;
  policy.min_updates = 2;
  Driver driver = three(policy);
  (void)driver.update(10.0, 2);
  EXPECT_FALSE(driver.policy().next_timer());
  EXPECT_TRUE(driver.on_time(50.0).empty());
  EXPECT_EQ(aggregations(driver.update(80.0, 1)), Lines{"timer [2 1]"});
}

TEST(FedAvg, AnOverdueDeadlineComesBeforeTheEvent) {
  PolicyConfig policy = config(Algorithm::kFedAvg);
  policy.deadline = 50.0;
  Driver driver = three(policy);
  (void)driver.update(10.0, 2);
  (void)driver.update(11.0, 1);
  const auto actions = driver.update(50.25, 3);
  EXPECT_EQ(aggregations(actions), Lines{"timer [2 1]"});
  EXPECT_EQ(of_kind<Refuse>(actions).size(), 1U);
}

TEST(FedAvg, EvictionEndsTheRound) {
  Driver driver = three(config(Algorithm::kFedAvg));
  (void)driver.update(10.0, 2);
  (void)driver.update(11.0, 1);
  EXPECT_EQ(aggregations(driver.evict(30.0, 3)), Lines{"evict [2 1]"});
  // Its update of the old round is refused, and it waits for the next one.
  EXPECT_EQ(of_kind<Refuse>(driver.update(40.0, 3)).size(), 1U);
}

TEST(FedAvg, WhoJoinsLateWaitsForTheNextRound) {
  Driver driver = three(config(Algorithm::kFedAvg));
  EXPECT_EQ(of_kind<Assign>(driver.join(5.0, 4)).size(), 1U) << "nobody has reported yet";
  (void)driver.update(10.0, 2);
  EXPECT_TRUE(driver.join(11.0, 5).empty());
  (void)driver.update(12.0, 1);
  (void)driver.update(13.0, 4);
  const auto actions = driver.update(14.0, 3);
  EXPECT_EQ(aggregations(actions), Lines{"complete [2 1 4 3]"});
  EXPECT_EQ(of_kind<Assign>(actions).size(), 5U);
}

TEST(FedAvg, ARoundWithoutAnyGoodUpdateStartsAgain) {
  Driver driver(config(Algorithm::kFedAvg));
  (void)driver.join(0.0, 1);
  const auto actions = driver.update(10.0, 1, -1, false);
  EXPECT_EQ(of_kind<Refuse>(actions).size(), 1U);
  EXPECT_EQ(of_kind<Assign>(actions).size(), 1U);
  EXPECT_EQ(driver.policy().version(), 0);
}

TEST(FedAsync, AggregatesEveryUpdateAtOnce) {
  PolicyConfig policy = config(Algorithm::kFedAsync);
  Driver driver = three(policy);
  EXPECT_EQ(aggregations(driver.update(10.0, 1)), Lines{"complete [1]"});
  const auto actions = driver.update(20.0, 2);
  EXPECT_EQ(aggregations(actions), Lines{"complete [2]"});
  const auto update = of_kind<Aggregate>(actions)[0].members[0];
  EXPECT_EQ(update.staleness, 1);
  EXPECT_DOUBLE_EQ(update.coefficient, 0.6 / std::sqrt(2.0)) << "no n, no 1/N";
  EXPECT_EQ(driver.assigned(2).version, 2);
  EXPECT_EQ(driver.policy().pending(), 0);
}

TEST(FedBuff, AggregatesEveryKUpdates) {
  PolicyConfig policy = config(Algorithm::kFedBuff);
  policy.buffer_size = 3;
  policy.server_rate = 0.5;
  Driver driver = three(policy);
  EXPECT_EQ(of_kind<Assign>(driver.update(10.0, 1)).size(), 1U) << "answered at once";
  EXPECT_TRUE(aggregations(driver.update(20.0, 1)).empty());
  EXPECT_EQ(driver.policy().pending(), 2);
  const auto actions = driver.update(30.0, 2);
  EXPECT_EQ(aggregations(actions), Lines{"complete [1 1 2]"});
  const auto members = of_kind<Aggregate>(actions)[0].members;
  for (const auto& update : members) {
    EXPECT_DOUBLE_EQ(update.coefficient, 0.5 / 3.0);
  }
  EXPECT_EQ(driver.assigned(2).version, 1);
}

TEST(FedBuff, TheEndFlushesTheBuffer) {
  Driver driver = three(config(Algorithm::kFedBuff));
  (void)driver.update(10.0, 3);
  const auto flush = of_kind<Flush>(driver.policy().shutdown(11.0));
  ASSERT_EQ(flush.size(), 1U);
  EXPECT_EQ(flush[0].waiting, std::vector<ClientId>{3});
  ASSERT_EQ(flush[0].members.size(), 1U);
  EXPECT_DOUBLE_EQ(flush[0].members[0].coefficient, 0.1);
  EXPECT_EQ(driver.policy().pending(), 0);
}

}  // namespace
}  // namespace convoy::tests
