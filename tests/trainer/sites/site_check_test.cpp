// SPDX-License-Identifier: Apache-2.0
// What `convoy join --check` finds.
#include "trainer/sites/site_check.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/errors.h"
#include "tests/trainer/sites/site_client_fixture.h"
#include "trainer/sites/site_privacy.h"

namespace convoy::tests {
namespace {

using namespace trainer;
using net::RefusalCode;

#define EXPECT_HOLDS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

const std::string kLocal = " certificate CA and revocation list state folder model file";

class SiteCheckTest : public SiteClientTest {
 protected:
  [[nodiscard]] net::DialerOptions dialer_options() {
    return {.server = {.host = "127.0.0.1", .port = hub.port()},
            .own = own,
            .authorities = federation.files().certificate,
            .lists = federation.files().list,
            .limits = {}};
  }
  /// Names of what is checked; "-" before what has failed, "~" before what ends soon.
  [[nodiscard]] static std::string names(const std::vector<SiteCheck>& checks) {
    std::string text;
    for (const auto& [what, state, line] : checks) {
      using State = SiteCheck::State;
      text += (state == State::kOk ? " " : state == State::kWarn ? " ~" : " -") + what;
    }
    return text;
  }
  /// Of a check that the hub answers with `job_offer`.
  [[nodiscard]] std::vector<SiteCheck> check_against(const net::JobOffer& job_offer,
                                                     const std::string& site_name = "clinic") {
    auto mine = options();
    mine.own.site = site_name;
    auto checks =
        std::async(std::launch::async, [&] { return check_site(mine, dialer_options()); });
    (void)hub.greet();
    (void)hub.say(job_offer, hub.last.id);
    (void)hub.expect<net::Goodbye>();
    return checks.get();
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
  EXPECT_EQ(names(found), kLocal + " route server policy data");
  EXPECT_TRUE(all_ok(found)) << to_text(found);
  EXPECT_EQ(found.back().text, "270 samples; synthetic to classify: float32 [32]; 10 classes");
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "state"));
}

TEST_F(SiteCheckTest, SaysWhatIsWrongAndLeavesOutWhatHangsOnIt) {
  use(site_job());
  auto bad = dialer_options();
  bad.own = federation.member("other", net::Role::kSite);
  EXPECT_EQ(names(check_site(options(), bad)),
            " -certificate CA and revocation list state folder model file");
  bad = dialer_options();
  bad.own = federation.member("clinic-2", net::Role::kSite, -9, -1);
  auto mine = options();
  mine.own.site = "clinic-2";
  const auto expired = check_site(mine, bad);
  EXPECT_EQ(names(expired), " -certificate CA and revocation list state folder model file");
  EXPECT_NE(expired[0].text.find("was valid until"), std::string::npos);
  bad = dialer_options();
  bad.server.port = 1;
  EXPECT_EQ(names(check_site(options(), bad)), kLocal + " -route");

  policy.require_privacy = true;
  auto checks =
      std::async(std::launch::async, [&] { return check_site(options(), dialer_options()); });
  (void)hub.greet();
  (void)hub.say(offer(0), hub.last.id);
  EXPECT_EQ(names(checks.get()), kLocal + " route server -policy");
  (void)hub.expect<net::Goodbye>();
  policy = {};
  checks = std::async(std::launch::async, [&] { return check_site(options(), dialer_options()); });
  (void)hub.greet();
  auto other = offer(0);
  other.model_hash += 1;
  (void)hub.say(other, hub.last.id);
  const auto found = checks.get();
  EXPECT_EQ(names(found), kLocal + " route server policy -data");
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
  EXPECT_EQ(names(found), kLocal + " route server policy data privacy ledger");
  EXPECT_TRUE(found.back().text.starts_with(folder / "ledgers/clinic.")) << found.back().text;
  EXPECT_TRUE(std::filesystem::is_empty(folder / "ledgers"));
  const auto bad = ledgers(folder.file("file", "") + "/below");
  EXPECT_EQ(names(bad), kLocal + " route server policy data -privacy ledger");
}

TEST_F(SiteCheckTest, WarnsOfWhatEndsSoonAndIsStillOk) {
  use(site_job());
  own = federation.member("clinic-2", net::Role::kSite, 0, 3);
  federation.write_list(0, 2);
  const auto found = check_against(offer(0), "clinic-2");
  EXPECT_EQ(names(found),
            " ~certificate ~CA and revocation list state folder model file route server policy "
            "data");
  EXPECT_TRUE(all_ok(found));
  EXPECT_HOLDS(found[0].text, "clinic-2.crt) ends on ");
  EXPECT_HOLDS(found[1].text, "convoy certs revoke --refresh");
  EXPECT_HOLDS(to_text(found), "WARN    CA and revocation list");
  EXPECT_HOLDS(to_json(found), R"({"what":"certificate","ok":true,"state":"warn",)");
  EXPECT_HOLDS(to_json(found), R"({"what":"data","ok":true,"state":"ok",)");
}

TEST_F(SiteCheckTest, AListThatIsOverOrOfAnotherCaHasFailed) {
  const std::string failed = " certificate -CA and revocation list state folder model file";
  federation.write_list(-9, -1);
  auto found = check_site(options(), dialer_options());
  EXPECT_EQ(names(found), failed);
  EXPECT_HOLDS(found[1].text, "was valid until");
  EXPECT_HOLDS(to_text(found), "FAILED  CA and revocation list");
  EXPECT_HOLDS(to_json(found), R"({"what":"CA and revocation list","ok":false,"state":"failed",)");
  federation.write_list(0, 30);
  Federation other;
  auto foreign = dialer_options();
  foreign.lists = other.files().list;
  found = check_site(options(), foreign);
  EXPECT_EQ(names(found), failed);
  EXPECT_HOLDS(found[1].text, "that the federation's CA has not signed");
}

TEST_F(SiteCheckTest, AKeyOrCertificateOfNoUseIsNamedAsThat) {
  const std::string failed = " -certificate CA and revocation list state folder model file";
  auto bad = dialer_options();
  bad.own.key = federation.member("other", net::Role::kSite).key;
  auto found = check_site(options(), bad);
  EXPECT_EQ(names(found), failed);
  EXPECT_HOLDS(found[0].text, "is not the key of");
  std::filesystem::permissions(own.key, std::filesystem::perms(0644));
  found = check_site(options(), dialer_options());
  EXPECT_EQ(names(found), failed);
  EXPECT_HOLDS(found[0].text, "mode 0644");
  std::filesystem::permissions(own.key, std::filesystem::perms(0600));
  federation.revoke("clinic");
  found = check_site(options(), dialer_options());
  EXPECT_EQ(names(found), failed);
  EXPECT_HOLDS(found[0].text, "revoked");
}

TEST_F(SiteCheckTest, TriesWhereStateAndModelWouldBe) {
  auto bad = options();
  bad.state = folder.file("file", "") + "/below/state";
  bad.model = folder.path() / "nowhere" / "model.pt";
  auto unreachable = dialer_options();
  unreachable.server.port = 1;
  const auto found = check_site(bad, unreachable);
  EXPECT_EQ(names(found), " certificate CA and revocation list -state folder -model file -route");
  EXPECT_HOLDS(found[2].text, "cannot make the folder " + bad.state.string());
  EXPECT_HOLDS(found[3].text, "there is no folder " + (folder / "nowhere"));
  // And the site itself does not begin.
  const auto error = [&](const SiteClientOptions& used) -> std::string {
    try {
      const SiteClient client(used, dialing());
    } catch (const ConfigError& refused) {
      return refused.what();
    }
    return "";
  };
  EXPECT_HOLDS(error(bad), "--state: cannot make the folder ");
  auto no_model = options();
  no_model.model = folder.path() / "nowhere" / "model.pt";
  EXPECT_HOLDS(error(no_model), "--model: cannot write ");
  EXPECT_FALSE(std::filesystem::exists(no_model.state));
  no_model.model = folder.path();
  EXPECT_HOLDS(error(no_model), "it is a folder");
  no_model.model = no_model.state / "model.pt";  // made with the state folder
  EXPECT_EQ(error(no_model), "");
}

TEST_F(SiteCheckTest, DataThatTheJobNeedsAreToBeNamed) {
  for (const std::string kind : {"csv", "text", "cifar10"}) {
    Job needs_data = site_job();
    needs_data.data.name = kind;
    try {
      (void)own_job(needs_data, options().own);
      ADD_FAILURE() << kind;
    } catch (const ConfigError& error) {
      EXPECT_HOLDS(std::string(error.what()), "\"" + kind + "\": say with --data where");
    }
  }
}

TEST_F(SiteCheckTest, ABudgetThatAllowsNoStepIsTheLedgersMatter) {
  Job private_job = site_job();
  private_job.privacy = {
      .mode = "per_sample", .clip = 1.0, .sigma = 1.0, .rate = 0.05, .epsilon = 1.9};
  use(private_job);
  policy.ledger = folder / "ledgers";
  policy.max_epsilon = 0.001;
  auto found = check_against(offer(0));
  EXPECT_EQ(names(found), kLocal + " route server policy -privacy ledger");
  EXPECT_HOLDS(found.back().text, "allows no step");
  // What the server is told, and the site itself.
  start_site();
  (void)hub.greet();
  (void)hub.say(offer(0), hub.last.id);
  const auto refusal = hub.expect<net::Refusal>();
  EXPECT_EQ(refusal.code, RefusalCode::kSitePolicy);
  EXPECT_EQ(refusal.text, "the site's privacy budget allows no step of this job");
  EXPECT_HOLDS(config_error(), "privacy.epsilon = 0.001 allows no step");

  policy.max_epsilon = 0.0;
  const Job mine = own_job(private_job, options().own);
  {
    const auto ledger = open_site_ledger(mine, options().own);
    const auto mechanism = mine.privacy.mechanism();
    ledger->spend(mechanism, 1, "first", true);
    found = check_against(offer(0));
    EXPECT_EQ(names(found), kLocal + " route server policy data privacy ledger");
    EXPECT_TRUE(found.back().text.starts_with("spent is epsilon ")) << found.back().text;
    ledger->spend(mechanism, ledger->allowed(mechanism, privacy::kMostSteps), "rest", true);
  }
  found = check_against(offer(0));
  EXPECT_EQ(names(found), kLocal + " route server policy data -privacy ledger");
  EXPECT_TRUE(found.back().text.starts_with("the privacy budget is spent: epsilon 1."))
      << found.back().text;
  EXPECT_HOLDS(found.back().text, " of 1.9 at delta ");
}

TEST_F(SiteCheckTest, AServerThatRefusesIsNotOk) {
  use(site_job());
  auto checks =
      std::async(std::launch::async, [&] { return check_site(options(), dialer_options()); });
  (void)hub.greet();
  (void)hub.say(net::Refusal{.code = RefusalCode::kUnknownSite, .text = "who?"}, hub.last.id);
  EXPECT_EQ(names(checks.get()), kLocal + " route -server");
}

}  // namespace
}  // namespace convoy::tests
