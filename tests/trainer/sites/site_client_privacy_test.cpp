// SPDX-License-Identifier: Apache-2.0
// A site whose rounds keep [privacy], and its ledger.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "tests/trainer/sites/site_client_fixture.h"
#include "trainer/privacy/ledger.h"

namespace convoy::tests {
namespace {

using namespace trainer;
using net::RefusalCode;

TEST_F(SiteClientTest, LeavesWhenItsBudgetIsSpent) {
  Job private_job = site_job();
  private_job.privacy = {.mode = "per_sample",
                         .clip = 1.0,
                         .sigma = 1.0,
                         .rate = 0.05,
                         .epsilon = 1.9,
                         .ledger = "/nonexistent/of/the/server"};
  use(private_job);
  policy.ledger = folder / "ledger";
  start_site();
  enrol();
  net::UploadBegin begin;
  for (std::int64_t number = 0;; ++number) {
    dispatch(round(number));
    begin = take_update();
    EXPECT_LE(begin.epsilon.value(), 1.9);
    acknowledge(begin);
    const bool was_last = std::ranges::any_of(
        begin.metrics, [](const net::Metric& metric) { return metric.name == "leaves"; });
    if (was_last) break;
    ASSERT_LT(number, 50);
  }
  for (const auto& metric : begin.metrics) EXPECT_NE(metric.name, "loss");
  EXPECT_EQ(hub.expect<net::Leave>().reason, net::LeaveReason::kPrivacyBudget);
  (void)hub.say(net::Accepted{}, hub.last.id);
  (void)hub.expect<net::Goodbye>();
  const SiteOutcome outcome = site.get();
  EXPECT_EQ(outcome.kind, SiteOutcome::Kind::kLeft);
  EXPECT_GT(outcome.epsilon.value(), 1.0);

  start_site();  // the ledger knows
  enrol();
  EXPECT_EQ(hub.expect<net::Leave>().reason, net::LeaveReason::kPrivacyBudget);
  (void)hub.say(net::Accepted{}, hub.last.id);
  EXPECT_EQ(site.get().kind, SiteOutcome::Kind::kLeft);
  (void)hub.expect<net::Goodbye>();

  budget_patience = std::chrono::milliseconds(200);
  start_site();
  enrol();
  (void)hub.expect<net::Leave>();  // nobody answers
  EXPECT_EQ(site.get().kind, SiteOutcome::Kind::kLeft);
}

/// Round 1 comes, and spends the rest, before the answer to round 0.
TEST_F(SiteClientTest, LeavesAfterTheRoundThatHasSpentTheBudget) {
  Job private_job = site_job();
  private_job.privacy = {
      .mode = "per_sample", .clip = 1.0, .sigma = 1.0, .rate = 0.05, .epsilon = 6.0};
  use(private_job);
  policy.ledger = folder / "ledger";
  start_site();
  enrol();
  dispatch(round(0));
  const auto first = take_update();
  auto last = round(1);
  last.version = 0;
  last.steps = 100'000;  // cut to what is left
  (void)hub.say(last);
  const auto ledger = [this] {
    const std::filesystem::directory_iterator files(folder / "ledger");
    return privacy::read_account(files->path());
  };
  for (int i = 0; i < 600 && ledger().records < 2; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  acknowledge(first);
  const auto second = take_update();
  EXPECT_EQ(second.round, 1);
  EXPECT_GT(second.steps, 6);
  acknowledge(second);
  EXPECT_EQ(hub.expect<net::Leave>().reason, net::LeaveReason::kPrivacyBudget);
  (void)hub.say(net::Accepted{}, hub.last.id);
  (void)hub.expect<net::Goodbye>();
  EXPECT_EQ(site.get().updates, 2);
}

TEST_F(SiteClientTest, NeedsItsLedgerBeforeItJoins) {
  Job private_job = site_job();
  private_job.privacy = {
      .mode = "per_sample", .clip = 1.0, .sigma = 1.0, .rate = 0.05, .epsilon = 1.9};
  use(private_job);
  policy.ledger = folder.file("file", "") + "/ledgers";
  start_site();
  (void)hub.greet();
  (void)hub.say(offer(0), hub.last.id);
  const auto refusal = hub.expect<net::Refusal>();
  EXPECT_EQ(refusal.code, RefusalCode::kFailed);
  EXPECT_EQ(refusal.text, "the site cannot open its privacy ledger") << "and not where that is";
  EXPECT_EQ(config_error(), "cannot make the folder " + folder / "file" + ": File exists");
}

TEST_F(SiteClientTest, SaysWhereItsNoiseCameFromASeed) {
  Job private_job = site_job();
  private_job.privacy = {.mode = "per_sample",
                         .clip = 1.0,
                         .sigma = 1.0,
                         .rate = 0.05,
                         .epsilon = 6.0,
                         .insecure_seed = 7};
  use(private_job);
  policy.ledger = folder / "ledger";
  policy.allow_insecure_seed = true;
  start_site();
  enrol();
  dispatch(round(0));
  acknowledge(take_update());
  const SiteOutcome outcome = finish();
  EXPECT_TRUE(outcome.is_insecure);
  EXPECT_NE(to_json(outcome).find("\"insecure\":true"), std::string::npos);
  EXPECT_EQ(to_json(SiteOutcome{}).find("insecure"), std::string::npos);
}

}  // namespace
}  // namespace convoy::tests
