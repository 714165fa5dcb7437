// SPDX-License-Identifier: Apache-2.0
// A server and its sites over TLS: when the run begins, who takes part, and who is told what.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <thread>

#include "tests/trainer/sites/site_federation_kit.h"
#include "tests/trainer/sites/site_server_kit.h"

namespace convoy::tests {
namespace {

using net::RefusalCode;
using net::RunPhase;

/// As long as the job waits for more sites: what the server has seen before is late afterwards.
void let_join_timeout_pass(const trainer::Job& job) {
  std::this_thread::sleep_for(std::chrono::duration<double>(job.sites.join_timeout) +
                              std::chrono::milliseconds(10));
}

TEST(SiteServerGuests, BeginWithTheFewestThatMayOnceTheJoinTimeoutIsOver) {
  trainer::Job job = served_job();
  job.federation.clients = 3;
  job.sites.join_timeout = 0.2;
  job.sites.min_clients = 2;
  RunningServer server(job);
  SpokenSite first(server, "site0");
  first.say_join();
  ASSERT_TRUE(server.sees_sites(1));
  let_join_timeout_pass(job);
  EXPECT_EQ(server.settled_phase(), RunPhase::kWaiting) << "one is too few";
  SpokenSite second(server, "site1");
  second.contribute(second.join());
  (void)first.expect<net::JobOffer>();
  first.contribute(first.expect<net::Dispatch>());
  EXPECT_EQ(server.status().phase, RunPhase::kRunning);
}

TEST(SiteServerGuests, WaitForAllUntilTheJoinTimeout) {
  for (const double timeout : {0.0, 3600.0}) {
    trainer::Job job = served_job();
    job.federation.clients = 3;
    job.sites.join_timeout = timeout;
    job.sites.min_clients = 2;
    RunningServer server(job);
    SpokenSite first(server, "site0");
    SpokenSite second(server, "site1");
    first.say_join();
    second.say_join();
    ASSERT_TRUE(server.sees_sites(2));
    EXPECT_EQ(server.settled_phase(), RunPhase::kWaiting);
    SpokenSite third(server, "site2");
    third.contribute(third.join());
    (void)first.expect<net::JobOffer>();
    EXPECT_EQ(server.status().phase, RunPhase::kRunning);
  }
}

TEST(SiteServerGuests, AreNotCountedWhenTheyHaveGoneBeforeTheBegin) {
  RunningServer server(served_job());
  {
    SpokenSite gone(server, "site0");
    gone.say_join();
    ASSERT_TRUE(server.sees_sites(1));
  }
  ASSERT_TRUE(server.sees_sites(0));
  SpokenSite second(server, "site1");
  second.say_join();
  ASSERT_TRUE(server.sees_sites(1));
  EXPECT_EQ(server.settled_phase(), RunPhase::kWaiting);
  SpokenSite first(server, "site0");
  first.contribute(first.join());
  (void)second.expect<net::JobOffer>();
}

TEST(SiteServerGuests, TheNewestConnectionOfAProcessTakesOverFromALivingOne) {
  trainer::Job job = served_job();
  job.federation.clients = 1;
  RunningServer server(job);
  SpokenSite old(server, "site0", "one");
  const net::Dispatch round = old.join();
  SpokenSite newest(server, "site0", "one");
  const net::Dispatch again = newest.join();
  EXPECT_EQ(again.round, round.round) << "its round goes on";
  EXPECT_EQ(old.expect_refusal(), RefusalCode::kSecondInstance);
  EXPECT_TRUE(old.is_hung_up_on());
  // That end is none of the newest one's.
  newest.contribute(again);
  newest.contribute(newest.expect<net::Dispatch>());
  const net::Status status = server.status();
  EXPECT_EQ(status.updates, 2);
  ASSERT_EQ(status.sites.size(), 1U);
  EXPECT_TRUE(status.sites[0].connected);
}

TEST(SiteServerGuests, ASecondLivingProcessOfASiteIsRefused) {
  trainer::Job job = served_job();
  job.federation.clients = 1;
  RunningServer server(job);
  SpokenSite first(server, "site0", "one");
  const net::Dispatch round = first.join();
  SpokenSite second(server, "site0", "two");
  second.say_join();
  EXPECT_EQ(second.expect_refusal(), RefusalCode::kSecondInstance);
  EXPECT_TRUE(second.is_hung_up_on());
  first.contribute(round);
  first.contribute(first.expect<net::Dispatch>());
  // Where it lives no longer the other one is welcome.
  first.cut();
  ASSERT_TRUE(comes_true([&] { return !server.status().sites.at(0).connected; }));
  SpokenSite third(server, "site0", "two");
  third.contribute(third.join());
}

TEST(SiteServerGuests, OnlyWhoStandsInTheRosterIsToldTheJob) {
  trainer::Job job = served_job();
  job.sites.roster = {"site2", "site0"};
  RunningServer server(job);
  SpokenSite stranger(server, "site1");
  stranger.say_join();
  EXPECT_EQ(stranger.expect_refusal(), RefusalCode::kUnknownSite);
  EXPECT_TRUE(stranger.is_hung_up_on());
  SpokenSite curious(server, "site1");
  (void)curious.say(net::Join{.schema_hash = 0});
  EXPECT_EQ(curious.expect_refusal(), RefusalCode::kUnknownSite);
  EXPECT_TRUE(curious.is_hung_up_on());
  SpokenSite first(server, "site0");
  SpokenSite second(server, "site2");
  first.say_join();
  second.say_join();
  EXPECT_EQ(first.expect<net::JobOffer>().client, 1) << "its place in the roster";
  EXPECT_EQ(second.expect<net::JobOffer>().client, 0);
  EXPECT_EQ(server.status().total_sites, 2);
}

TEST(SiteServerGuests, NoMoreMayJoinThanTheJobIsFor) {
  RunningServer server(served_job());
  SpokenSite first(server, "site0");
  SpokenSite second(server, "site1");
  first.say_join();
  second.contribute(second.join());
  SpokenSite third(server, "site2");
  third.say_join();
  EXPECT_EQ(third.expect_refusal(), RefusalCode::kUnknownSite);
  EXPECT_TRUE(third.is_hung_up_on());
  EXPECT_EQ(server.status().total_sites, 2);
}

TEST(SiteServerGuests, ASiteSeesOnlyItself) {
  RunningServer server(served_job());
  SpokenSite first(server, "site0");
  SpokenSite second(server, "site1");
  (void)first.say(net::StatusRequest{});
  const net::Status before = first.expect<net::Status>();
  EXPECT_EQ(before.total_sites, 0);
  EXPECT_TRUE(before.sites.empty());
  second.say_join();
  (void)first.join();
  (void)first.say(net::StatusRequest{});
  const net::Status own = first.expect<net::Status>();
  EXPECT_EQ(own.total_sites, 1);
  ASSERT_EQ(own.sites.size(), 1U);
  EXPECT_EQ(own.sites[0].name, "site0");
  const net::Status all = server.status();
  EXPECT_EQ(all.total_sites, 2);
  ASSERT_EQ(all.sites.size(), 2U);
  EXPECT_EQ(all.sites[1].name, "site1");
}

TEST(SiteServerGuests, ASitesOrderIsRefusedAndAnOperatorsObeyed) {
  RunningServer server(served_job());
  SpokenSite first(server, "site0");
  SpokenSite second(server, "site1");
  first.say_join();
  const net::Dispatch round = second.join();
  (void)first.expect<net::JobOffer>();
  (void)first.expect<net::Dispatch>();
  (void)first.say(net::Command{.order = net::OperatorOrder::kRemove, .site = "site1"});
  EXPECT_EQ(first.expect_refusal(), RefusalCode::kNotAllowed);
  EXPECT_TRUE(first.is_hung_up_on());
  second.contribute(round);
  (void)second.expect<net::Dispatch>();
  server.order({.order = net::OperatorOrder::kRemove, .site = "site1"});
  EXPECT_EQ(second.expect_refusal(), RefusalCode::kUnknownSite);
  EXPECT_TRUE(second.is_hung_up_on());
  SpokenSite back(server, "site1");
  back.say_join();
  EXPECT_EQ(back.expect_refusal(), RefusalCode::kUnknownSite);
}

/// Weights of each version's updates, by site.
std::map<std::int64_t, std::map<std::string, double>> weights(const RunningServer& server) {
  std::map<std::int64_t, std::map<std::string, double>> found;
  for (const auto& record : read_audit(server.run_dir() / "audit.jsonl").records) {
    const auto& event = record.event;
    if (event.event == "contribution") found[*event.version][event.site] = *event.weight;
  }
  return found;
}

TEST(SiteServerGuests, NoSiteCountsForMoreThanItsShareWheneverItJoins) {
  trainer::Job job = served_job();
  job.federation.policy.algorithm = scheduler::Algorithm::kFedAvg;
  job.federation.clients = 4;
  job.sites.join_timeout = 0.05;
  job.sites.min_clients = 3;
  job.sites.max_weight_share = 0.5;
  RunningServer server(job);
  SpokenSite small(server, "site0");
  SpokenSite other(server, "site1");
  SpokenSite large(server, "site2");
  small.say_join(10);
  other.say_join(10);
  const net::Dispatch of_large = large.join(1'000'000);
  (void)small.expect<net::JobOffer>();
  (void)other.expect<net::JobOffer>();
  small.contribute(small.expect<net::Dispatch>());
  other.contribute(other.expect<net::Dispatch>());
  large.contribute(of_large);
  // The next round has begun, and nobody has sent anything for it: a latecomer takes part.
  const net::Dispatch next = large.expect<net::Dispatch>();
  SpokenSite late(server, "site3");
  const net::Dispatch of_late = late.join(1'000'000);
  small.contribute(small.expect<net::Dispatch>());
  other.contribute(other.expect<net::Dispatch>());
  large.contribute(next);
  late.contribute(of_late);
  (void)late.expect<net::Dispatch>();
  (void)server.stop();
  const auto found = weights(server);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found.at(1),
            (std::map<std::string, double>{{"site0", 0.25}, {"site1", 0.25}, {"site2", 0.5}}));
  EXPECT_EQ(found.at(2), (std::map<std::string, double>{
                             {"site0", 0.125}, {"site1", 0.125}, {"site2", 0.25}, {"site3", 0.5}}));
}

}  // namespace
}  // namespace convoy::tests
