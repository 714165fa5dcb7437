// SPDX-License-Identifier: Apache-2.0
// What the server of sites remembers over a restart.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/trainer/sites/site_federation_kit.h"

namespace convoy::tests {
namespace {

TEST(SiteFederation, RemembersAPauseAndWhoHasLeft) {
  TemporaryFolder folder;
  Kit kit(folder.path() / "run");
  kit.open();
  kit.join_all();
  kit->command("alice", "pause");
  kit->command("alice", "remove site1");
  kit.crash();
  kit.open();
  EXPECT_TRUE(kit->is_paused());
  EXPECT_TRUE(kit->book().find("site1")->has_left);
  EXPECT_FALSE(kit->book().find("site0")->has_left);
  EXPECT_FALSE(kit.rounds().contains(1));
  kit->stop();  // with a checkpoint
  kit.crash();
  kit.open();
  EXPECT_TRUE(kit->is_paused());
  EXPECT_TRUE(kit->book().find("site1")->has_left);
}

TEST(SiteFederation, ARoundThatIsSentAgainHasBegunWhenItWasSentFirst) {
  TemporaryFolder folder;
  Kit kit(folder.path() / "run");
  kit.open();
  kit.join_all();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  kit->tick();
  kit.crash();
  kit.open();
  kit->rejoin(0, std::nullopt);
  kit->rejoin(1, std::nullopt);
  EXPECT_TRUE(kit->update("site0", kit.upload(kit.rounds().at(0), kit.pack(0, 0))));
  const double before = kit->now();
  kit->stop();  // with a checkpoint
  kit.crash();
  kit.open();
  EXPECT_TRUE(kit->update("site1", kit.upload(kit.rounds().at(1), kit.pack(1, 0))));
  std::ifstream events(folder.path() / "run" / "events.jsonl");
  std::map<std::int64_t, double> took;
  std::map<std::int64_t, bool> measures;
  for (std::string line; std::getline(events, line);) {
    const auto event = nlohmann::json::parse(line);
    if (event.value("kind", "") != "arrive") continue;
    took[event.at("client")] = event.at("duration");
    measures[event.at("client")] = event.value("measures_speed", true);
  }
  ASSERT_EQ(took.size(), 2U);
  EXPECT_NEAR(took[0], before, 0.1) << "from the beginning";
  EXPECT_GE(took[1], took[0]);
  EXPECT_FALSE(measures[0]) << "an outage lay in it";
  EXPECT_FALSE(measures[1]);
}

TEST(SiteFederation, RemembersItsLossOverARestart) {
  TemporaryFolder folder;
  trainer::Job job = sites_job();
  job.federation.policy.algorithm = scheduler::Algorithm::kFedAsync;  // each update makes a model
  Kit kit(folder.path() / "run", job);
  kit.open();
  kit.join_all();
  auto begin = kit.upload(kit.rounds().at(0), kit.pack(0, 0));
  begin.metrics = {{"loss", 0.25},
                   {"trained", 16},
                   {"validation_loss", 0.5},
                   {"validation_accuracy", 0.75},
                   {"validation_samples", 10}};
  EXPECT_TRUE(kit->update("site0", begin));
  kit->stop();
  kit.crash();
  kit.open();
  const auto summary = kit->finish(true);
  EXPECT_DOUBLE_EQ(summary.run.accuracy, 0.75);
  EXPECT_DOUBLE_EQ(summary.run.loss, 0.5);
  EXPECT_DOUBLE_EQ(summary.run.train_loss, 0.25);
}

TEST(SiteFederation, CountsItsSecondsFromTheFirstSite) {
  TemporaryFolder folder;
  trainer::Job job = sites_job();
  job.federation.updates = 0;
  job.federation.seconds = 0.2;
  Kit kit(folder.path() / "run", job);
  kit.open();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  kit.join_all();
  EXPECT_FALSE(kit->is_due_to_end());
  EXPECT_LT(kit->seconds(), 0.2);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const double before = kit->seconds();
  kit->stop();
  kit.crash();
  kit.open();
  EXPECT_GE(kit->seconds(), before);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_TRUE(kit->is_due_to_end());
}

TEST(SiteFederation, KeepsUnfinishedUploadsOverARestart) {
  TemporaryFolder folder;
  Kit kit(folder.path() / "run");
  kit.open();
  kit.join_all();
  const std::uint64_t durable = scheduler::journal::PayloadStoreConfig().sync_bytes;
  const std::vector<std::byte> begun(durable + 1000);
  const scheduler::journal::DeclaredUpload declared{
      .site = "site0", .id = "r0", .bytes = 2 * begun.size(), .sha256 = sha256("not looked at")};
  kit->store().begin(declared).write(begun);
  // A whole one whose log record a crash has cut off.
  const auto round = kit.rounds().at(1);
  const auto whole = kit.upload(round, kit.pack(1, round.round));
  kit.crash();
  kit.open();
  EXPECT_EQ(kit->store().begin(declared).offset(), durable);
  EXPECT_TRUE(kit->store().has("site1", whole.update_id));
}

TEST(SiteFederation, RemembersWhatOperatorsHaveOrdered) {
  TemporaryFolder folder;
  Kit kit(folder.path() / "run");
  kit.open();
  kit.join_all();
  kit->command("alice", "remove newcomer");
  EXPECT_FALSE(kit->is_due_to_end());
  kit->command("alice", "finish");
  EXPECT_TRUE(kit->is_due_to_end());
  kit.crash();  // before the run has ended
  kit.open();
  EXPECT_TRUE(kit->is_due_to_end());
  EXPECT_TRUE(kit->is_gone("newcomer"));
  kit->stop();
  kit.crash();
  kit.open();
  EXPECT_TRUE(kit->is_due_to_end());
  EXPECT_TRUE(kit->is_gone("newcomer"));
  EXPECT_FALSE(kit->is_gone("site0"));
}

TEST(SiteFederation, SaysHowARunWentThatIsInterruptedOrResumedAfterItsEnd) {
  TemporaryFolder folder;
  Kit kit(folder.path() / "run");
  kit.open();
  kit.join_all();
  for (std::int64_t turn = 0; turn < 5; ++turn) step(kit, turn);
  EXPECT_EQ(kit->finish(true).schedule.counts.received, 5);
  kit->shut_down();
  kit->stop();
  kit.crash();
  kit.open();
  EXPECT_EQ(kit->finish(false).schedule.counts.received, 5);
}

}  // namespace
}  // namespace convoy::tests
