// SPDX-License-Identifier: Apache-2.0
// How a site ends, and what it says of that.
#include <gtest/gtest.h>

#include <string>

#include "tests/trainer/sites/site_client_fixture.h"

namespace convoy::tests {
namespace {

using namespace trainer;
using net::RefusalCode;

TEST_F(SiteClientTest, HasLeftOnlyWhenTheServerKnows) {
  use(site_job());
  leave_on_stop = true;
  start_site();
  enrol();
  dispatch(round(0));
  acknowledge(take_update());
  stop = true;
  EXPECT_EQ(hub.expect<net::Leave>().reason, net::LeaveReason::kStopped);
  SiteOutcome outcome = site.get();  // nobody answers
  EXPECT_EQ(outcome.kind, SiteOutcome::Kind::kStopped);
  EXPECT_EQ(outcome.reason, "the server was not told that the site leaves");
  (void)hub.expect<net::Goodbye>();

  start_site();
  enrol();
  dispatch(round(1));
  acknowledge(take_update());  // now it knows that it has joined
  stop = true;
  (void)hub.expect<net::Leave>();
  (void)hub.say(net::Accepted{}, hub.last.id);
  outcome = site.get();
  EXPECT_EQ(outcome.kind, SiteOutcome::Kind::kLeft);
  EXPECT_EQ(outcome.reason, "the site has been stopped");
}

TEST_F(SiteClientTest, WhatMustBeMendedFirstIsAConfigError) {
  use(site_job());
  for (const auto code : {RefusalCode::kUnknownSite, RefusalCode::kNotAllowed,
                          RefusalCode::kOtherSchema, RefusalCode::kNoCommonVersion}) {
    start_site();
    (void)hub.greet();
    (void)hub.say(net::Refusal{.code = code, .text = "no"}, hub.last.id);
    EXPECT_NE(config_error(), "") << net::to_text(code);
  }
}

TEST_F(SiteClientTest, DoesNotTrainWhatItsPolicyForbids) {
  use(site_job());
  policy.require_privacy = true;
  start_site();
  (void)hub.greet();
  (void)hub.say(offer(0), hub.last.id);
  const auto refusal = hub.expect<net::Refusal>();
  EXPECT_EQ(refusal.code, RefusalCode::kSitePolicy);
  EXPECT_EQ(
      config_error(),
      "this site does not train the server's job: privacy.mode = \"none\": the policy demands "
      "differential privacy");
}

TEST_F(SiteClientTest, RefusesAServerWhoseModelDoesNotFitTheData) {
  use(site_job());
  start_site();
  (void)hub.greet();
  auto other = offer(0);
  other.model_hash += 1;
  (void)hub.say(other, hub.last.id);
  EXPECT_EQ(hub.expect<net::Refusal>().code, RefusalCode::kOtherSchema);
  EXPECT_NE(config_error(), "");
}

TEST_F(SiteClientTest, TheFinalModelEndsARound) {
  use(site_job());
  start_site();
  enrol();
  auto what = round(0);
  what.steps = 100'000'000;
  dispatch(what);
  const SiteOutcome outcome = finish();
  EXPECT_EQ(outcome.kind, SiteOutcome::Kind::kFinished);
  EXPECT_EQ(outcome.rounds, 0);
}

}  // namespace
}  // namespace convoy::tests
