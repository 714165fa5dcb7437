// SPDX-License-Identifier: Apache-2.0
// What `convoy join --check` finds.
#include "trainer/sites/site_check.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/errors.h"
#include "tests/trainer/sites/site_client_fixture.h"

namespace convoy::tests {
namespace {

using namespace trainer;
using net::RefusalCode;

class SiteCheckTest : public SiteClientTest {
 protected:
  [[nodiscard]] net::DialerOptions dialer_options() {
    return {.server = {.host = "127.0.0.1", .port = hub.port()},
            .own = own,
            .authorities = federation.files().certificate,
            .lists = federation.files().list,
            .limits = {}};
  }
  /// Names of what is checked; "-" before what has failed.
  [[nodiscard]] static std::string names(const std::vector<SiteCheck>& checks) {
    std::string text;
    for (const auto& check : checks) text += (check.is_ok ? " " : " -") + check.what;
    return text;
  }
};

TEST_F(SiteCheckTest, TriesAllThatComesBeforeTrainingAndEnrolsNobody) {
  use(site_job());
  auto checks =
      std::async(std::launch::async, [&] { return check_site(options(), dialer_options()); });
  EXPECT_EQ(hub.greet().schema_hash, 0U);
  (void)hub.say(offer(0), hub.last.id);
  (void)hub.expect<net::Goodbye>();
  const auto found = checks.get();
  EXPECT_EQ(names(found), " certificate CA and revocation list route server policy data");
  EXPECT_TRUE(all_ok(found)) << to_text(found);
  EXPECT_EQ(found.back().text, "270 samples; synthetic to classify: float32 [32]; 10 classes");
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "state"));
}

TEST_F(SiteCheckTest, SaysWhatIsWrongAndLeavesOutWhatHangsOnIt) {
  use(site_job());
  auto bad = dialer_options();
  bad.own = federation.member("other", net::Role::kSite);
  EXPECT_EQ(names(check_site(options(), bad)), " -certificate CA and revocation list");
  bad = dialer_options();
  bad.own = federation.member("clinic-2", net::Role::kSite, -9, -1);
  auto mine = options();
  mine.own.site = "clinic-2";
  const auto expired = check_site(mine, bad);
  EXPECT_EQ(names(expired), " -certificate CA and revocation list");
  EXPECT_NE(expired[0].text.find("was valid until"), std::string::npos);
  bad = dialer_options();
  bad.server.port = 1;
  EXPECT_EQ(names(check_site(options(), bad)), " certificate CA and revocation list -route");

  policy.require_privacy = true;
  auto checks =
      std::async(std::launch::async, [&] { return check_site(options(), dialer_options()); });
  (void)hub.greet();
  (void)hub.say(offer(0), hub.last.id);
  EXPECT_EQ(names(checks.get()), " certificate CA and revocation list route server -policy");
  (void)hub.expect<net::Goodbye>();
  policy = {};
  checks = std::async(std::launch::async, [&] { return check_site(options(), dialer_options()); });
  (void)hub.greet();
  auto other = offer(0);
  other.model_hash += 1;
  (void)hub.say(other, hub.last.id);
  const auto found = checks.get();
  EXPECT_EQ(names(found), " certificate CA and revocation list route server policy -data");
  EXPECT_FALSE(all_ok(found));
}

TEST_F(SiteCheckTest, TriesThePrivacyLedger) {
  Job private_job = site_job();
  private_job.privacy = {
      .mode = "per_sample", .clip = 1.0, .sigma = 1.0, .rate = 0.05, .epsilon = 1.9};
  use(private_job);
  const auto ledgers = [&](const std::string& place) {
    policy.ledger = place;
    auto checks =
        std::async(std::launch::async, [&] { return check_site(options(), dialer_options()); });
    (void)hub.greet();
    (void)hub.say(offer(0), hub.last.id);
    (void)hub.expect<net::Goodbye>();
    return checks.get();
  };
  const auto found = ledgers(folder / "ledgers");
  EXPECT_EQ(names(found),
            " certificate CA and revocation list route server policy data privacy ledger");
  EXPECT_TRUE(found.back().text.starts_with(folder / "ledgers/clinic.")) << found.back().text;
  EXPECT_TRUE(std::filesystem::is_empty(folder / "ledgers"));
  const auto bad = ledgers(folder.file("file", "") + "/below");
  EXPECT_EQ(names(bad),
            " certificate CA and revocation list route server policy data -privacy ledger");
}

TEST_F(SiteCheckTest, AServerThatRefusesIsNotOk) {
  use(site_job());
  auto checks =
      std::async(std::launch::async, [&] { return check_site(options(), dialer_options()); });
  (void)hub.greet();
  (void)hub.say(net::Refusal{.code = RefusalCode::kUnknownSite, .text = "who?"}, hub.last.id);
  EXPECT_EQ(names(checks.get()), " certificate CA and revocation list route -server");
}

}  // namespace
}  // namespace convoy::tests
