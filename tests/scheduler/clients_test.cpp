// SPDX-License-Identifier: Apache-2.0
// Clients that come back, leave, answer at once or send what must not be used.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/scheduler/actions.h"

namespace convoy::tests {
namespace {

using namespace scheduler;
using Lines = std::vector<std::string>;

// 4. Reconnecting.

TEST(Reconnecting, KeepsAssignmentAndClock) {
  Driver driver = two_in_a_group();
  const Assign before = driver.assigned(2);
  const auto actions = of_kind<Assign>(driver.join(190.0, 2, 77));
  ASSERT_EQ(actions.size(), 1U);
  EXPECT_EQ(actions[0].kind, Assign::Kind::kResend);
  EXPECT_EQ(actions[0].round, before.round);
  EXPECT_EQ(actions[0].local_steps, before.local_steps);
  EXPECT_EQ(actions[0].version, before.version);
  (void)driver.update(200.0, 1);
  (void)driver.update(240.0, 2);
  const double speed = 0.25 * 1.0 + 0.75 * 1.4;  // since 100, not since 190
  const Assign next = driver.assigned(2);
  EXPECT_DOUBLE_EQ(next.predicted_arrival.value() - 240.0,
                   static_cast<double>(next.local_steps) * speed);
}

TEST(Reconnecting, WaitersGoOnWaiting) {
  Driver driver = two_in_a_group();
  (void)driver.update(200.0, 1);
  EXPECT_TRUE(driver.join(210.0, 1).empty());
  EXPECT_EQ(aggregations(driver.update(220.0, 2)), Lines{"complete [1 2]"});
}

TEST(Reconnecting, DuplicatesAndOtherRoundsAreRefused) {
  Driver driver = two_in_a_group();
  (void)driver.update(200.0, 1);
  auto refused = of_kind<Refuse>(driver.update(201.0, 1));
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].reason, "round 1 has been answered");
  refused =
      of_kind<Refuse>(driver.policy().update(202.0, {.client = 2, .round = 0, .local_steps = 5}));
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].reason, "it answers round 0, not 1");
  refused = of_kind<Refuse>(driver.policy().update(203.0, {.client = 99, .local_steps = 5}));
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].reason, "the client has not joined");
  EXPECT_EQ(aggregations(driver.update(204.0, 2)), Lines{"complete [1 2]"});
}

TEST(Reconnecting, TimeNeverGoesBack) {
  Driver driver = two_in_a_group();
  (void)driver.update(50.0, 1);  // a clock that was set back
  EXPECT_EQ(driver.policy().now(), 100.0);
  EXPECT_GE(driver.assigned(1).predicted_arrival.value(), 100.0);
}

// 5. The first estimate.

TEST(FirstEstimate, IsTheFewestSteps) {
  PolicyConfig policy = usual_policy();
  policy.initial_local_steps.reset();
  Driver driver(policy);
  (void)driver.join(0.0, 1);
  EXPECT_EQ(driver.assigned(1).local_steps, 20);
  EXPECT_EQ(driver.assigned(1).kind, Assign::Kind::kFirst);
}

// 6. Instant replies, and updates that are no numbers.

TEST(InstantReplies, DivideByNothing) {
  Driver driver(usual_policy());
  (void)driver.join(0.0, 1);
  (void)driver.join(0.0, 2);
  for (int i = 0; i < 50; ++i) {
    (void)driver.update(0.0, 1);
    (void)driver.update(0.0, 2);
  }
  const Assign& work = driver.assigned(1);
  EXPECT_GE(work.local_steps, 20);
  EXPECT_LE(work.local_steps, 100);
  EXPECT_TRUE(std::isfinite(work.latest_arrival.value()));
}

TEST(BadUpdates, StepsThatWereNotAssignedAreRefused) {
  for (const std::int64_t steps : {0, 101, -3}) {
    Driver driver = two_in_a_group();
    (void)driver.update(190.0, 1);
    const auto actions = driver.policy().update(
        200.0, {.client = 2, .round = driver.assigned(2).round, .local_steps = steps});
    ASSERT_EQ(of_kind<Refuse>(actions).size(), 1U) << steps;
    EXPECT_EQ(of_kind<Refuse>(actions)[0].reason,
              std::to_string(steps) + " steps done where 100 were assigned");
    EXPECT_EQ(aggregations(actions), Lines{"complete [1]"}) << "nobody waits for it";
    EXPECT_EQ(of_kind<Assign>(actions).back().client, 2) << "and it is not without work";
    expect_conserved(driver.policy());
  }
}

TEST(BadUpdates, FewerStepsThanAssignedAreFine) {
  Driver driver = two_in_a_group();
  EXPECT_TRUE(of_kind<Refuse>(driver.update(150.0, 1, 50)).empty());
  EXPECT_EQ(aggregations(driver.update(200.0, 2, 1)), Lines{"complete [1 2]"});
}

TEST(BadUpdates, ThoseThatAreNotFiniteAreRefusedAndTheClientWorksOn) {
  Driver driver = two_in_a_group();
  (void)driver.update(190.0, 1);
  const auto actions = driver.update(200.0, 2, -1, false);
  ASSERT_EQ(of_kind<Refuse>(actions).size(), 1U);
  EXPECT_EQ(of_kind<Refuse>(actions)[0].reason, "it is not finite");
  EXPECT_EQ(aggregations(actions), Lines{"complete [1]"}) << "nobody waits for it";
  EXPECT_EQ(driver.assigned(2).round, 2);
  EXPECT_EQ(driver.policy().counts().refused, 1);
}

TEST(BadUpdates, AreRefusedInTheFirstRoundToo) {
  Driver driver(usual_policy());
  (void)driver.join(0.0, 1);
  EXPECT_EQ(of_kind<Assign>(driver.update(10.0, 1, 500)).size(), 1U);
  EXPECT_EQ(driver.assigned(1).local_steps, 100);
  EXPECT_EQ(driver.assigned(1).kind, Assign::Kind::kFirst);
  EXPECT_EQ(of_kind<Refuse>(driver.update(20.0, 1, -1, false)).size(), 1U);
  EXPECT_TRUE(driver.assigned(1).group) << "its speed is known now";
  EXPECT_EQ(driver.policy().version(), 0);
}

// Leaving.

TEST(Leaving, KeepsTheUpdateThatHasArrived) {
  Driver driver = two_in_a_group();
  (void)driver.update(200.0, 1);
  (void)driver.leave(201.0, 1);
  const auto actions = driver.update(210.0, 2);
  EXPECT_EQ(aggregations(actions), Lines{"complete [1 2]"});
  ASSERT_EQ(of_kind<Assign>(actions).size(), 1U) << "nothing for who has left";
  EXPECT_EQ(of_kind<Assign>(actions)[0].client, 2);
}

TEST(Leaving, TheLastOneLetsTheGroupGoOn) {
  Driver driver = two_in_a_group();
  (void)driver.update(200.0, 1);
  EXPECT_EQ(aggregations(driver.leave(205.0, 2)), Lines{"evict [1]"});
  EXPECT_EQ(of_kind<Refuse>(driver.update(206.0, 2))[0].reason, "the client has left");
}

TEST(Leaving, WhoComesBackIsNotAssignedTwice) {
  Driver driver = two_in_a_group();
  (void)driver.update(200.0, 1);
  (void)driver.leave(201.0, 1);
  EXPECT_EQ(of_kind<Assign>(driver.join(202.0, 1)).size(), 1U);
  const auto actions = driver.update(210.0, 2);
  for (const auto& assign : of_kind<Assign>(actions)) EXPECT_EQ(assign.client, 2);
}

TEST(Leaving, WhoComesBackAndWaitsElsewhereIsNotAssignedByItsOldGroup) {
  Driver driver = two_in_a_group();
  (void)driver.join(100.0, 3);
  (void)driver.update(200.0, 1);
  (void)driver.leave(201.0, 1);
  (void)driver.join(202.0, 1);
  (void)driver.update(205.0, 3);
  ASSERT_EQ(driver.assigned(1).group, 1);
  ASSERT_EQ(driver.assigned(3).group, 1);
  EXPECT_TRUE(driver.update(240.0, 1).empty()) << "it waits in group 1, and its old update in 0";
  const auto actions = driver.update(245.0, 2);
  EXPECT_EQ(aggregations(actions), Lines{"complete [1 2]"});
  ASSERT_EQ(of_kind<Assign>(actions).size(), 1U);
  EXPECT_EQ(of_kind<Assign>(actions)[0].client, 2);
}

}  // namespace
}  // namespace convoy::tests
