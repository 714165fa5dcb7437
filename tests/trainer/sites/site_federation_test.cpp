// SPDX-License-Identifier: Apache-2.0
// The server's side of sites without a network: the same model after crashes, updates once,
// refusals.
#include "trainer/sites/site_federation.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/trainer/sites/site_federation_kit.h"

namespace convoy::tests {
namespace {

TEST(SiteFederation, GivesTheSameModelWhenAllOfItIsReplayedFromTheInitialModel) {
  for (const std::int64_t checkpoint_every : {0, 7}) {
    TemporaryFolder folder;
    Kit kit(folder.path() / "run");
    run_to_the_end(kit, 3, checkpoint_every);
    const auto& counts = kit->server().policy().counts();
    EXPECT_EQ(counts.received, 40);
    EXPECT_EQ(counts.received, counts.aggregated + counts.refused);
    EXPECT_EQ(kit->server().policy().pending(), 0);
    const auto seen = contributions(folder.path() / "run" / "audit.jsonl");
    EXPECT_EQ(std::ssize(seen), counts.aggregated);
    for (const auto& [update, times] : seen) EXPECT_EQ(times, 1) << update;
    if (checkpoint_every > 0) continue;  // the log's beginning is gone
    const std::string hash = kit.hash();
    kit.crash();
    kit.open();  // there is no checkpoint: all of the log
    EXPECT_TRUE(kit->has_ended());
    EXPECT_EQ(kit.hash(), hash);
  }
}

TEST(SiteFederation, GoesOnFromACheckpointAndItsLogWithTheSameBits) {
  TemporaryFolder folder;
  Kit kit(folder.path() / "run");
  kit.job_.checkpoint.every_steps = 9;
  kit.open();
  kit.join_all();
  for (std::int64_t turn = 0; turn < 25; ++turn) {
    step(kit, turn);
    kit->look_after();
    const std::string hash = kit.hash();
    const auto version = kit->server().aggregator().version();
    const auto rounds = kit.rounds();
    kit.crash();
    kit.open();
    ASSERT_EQ(kit.hash(), hash) << turn;
    ASSERT_EQ(kit->server().aggregator().version(), version);
    ASSERT_EQ(kit.rounds().size(), rounds.size());
    for (const auto& [client, round] : rounds) {
      EXPECT_EQ(kit.rounds().at(client).round, round.round);
      EXPECT_EQ(kit.rounds().at(client).steps, round.steps);
    }
  }
  EXPECT_TRUE(fs::exists(folder.path() / "run" / "checkpoints"));
}

TEST(SiteFederation, TakesAnUpdateOnce) {
  TemporaryFolder folder;
  Kit kit(folder.path() / "run");
  kit.open();
  kit.join_all();
  const auto round = kit.rounds().at(0);
  const auto begin = kit.upload(round, kit.pack(0, round.round));
  EXPECT_TRUE(kit->update("site0", begin));
  const std::string hash = kit.hash();
  EXPECT_FALSE(kit->update("site0", begin));
  EXPECT_EQ(kit->server().policy().counts().received, 1);
  kit.crash();
  kit.open();
  EXPECT_TRUE(kit->knows("site0", begin.update_id));
  EXPECT_FALSE(kit->update("site0", begin));
  EXPECT_EQ(kit.hash(), hash);
}

TEST(SiteFederation, RefusesWhatIsNoUpdateAndOwesItToTheSite) {
  TemporaryFolder folder;
  trainer::Job job = sites_job();
  job.sites.max_update_norm = 5.0;
  Kit kit(folder.path() / "run", job);
  kit.open();
  kit.join_all();
  const std::string before = kit.hash();

  const auto of = [&](std::int64_t client) { return kit.rounds().at(client); };
  auto huge = kit.pack(0, 0);
  huge.parameters[0].fill_(100.0);
  EXPECT_TRUE(kit->update("site0", kit.upload(of(0), huge)));
  auto infinite = kit.pack(1, 0);
  infinite.parameters[0].fill_(std::numeric_limits<float>::infinity());
  EXPECT_TRUE(kit->update("site1", kit.upload(of(1), infinite)));
  const std::vector<std::byte> garbage(5000, std::byte{7});
  EXPECT_TRUE(kit->update("site2", kit.upload("site2", of(2), garbage)));
  net::UploadBegin none{.update_id = "none", .round = of(3).round, .finite = false};
  EXPECT_TRUE(kit->update("site3", none));

  EXPECT_EQ(kit->server().policy().counts().refused, 4);
  EXPECT_EQ(kit.hash(), before);
  for (std::int64_t client = 0; client < 4; ++client) {
    EXPECT_TRUE(kit->owes(client)) << client;
    EXPECT_TRUE(kit.rounds().contains(client)) << "a refused site goes on";
  }
  kit.crash();
  kit.open();
  EXPECT_EQ(kit->server().policy().counts().refused, 4);
  EXPECT_TRUE(kit->owes(2));
  // What was owed is settled with the next round's update.
  EXPECT_TRUE(kit->update("site2", kit.upload(of(2), kit.pack(2, 1))));
  EXPECT_FALSE(kit->owes(2));

  std::map<std::string, std::string> reasons;
  std::map<std::string, std::string> updates;
  for (const auto& record : read_audit(folder.path() / "run" / "audit.jsonl").records) {
    if (record.event.event != "refusal") continue;
    reasons[record.event.site] = record.event.text;
    updates[record.event.site] = record.event.update;
  }
  EXPECT_EQ(updates["site0"], "r0");
  EXPECT_EQ(updates["site3"], "none");
  EXPECT_NE(reasons["site0"].find("max_update_norm"), std::string::npos) << reasons["site0"];
  EXPECT_NE(reasons["site1"].find("not finite"), std::string::npos) << reasons["site1"];
  EXPECT_NE(reasons["site2"].find("no model"), std::string::npos) << reasons["site2"];
  EXPECT_NE(reasons["site3"].find("finite"), std::string::npos) << reasons["site3"];
}

TEST(SiteFederation, AuditsWhatASiteHasSpentAndThatItLeavesWithIt) {
  TemporaryFolder folder;
  trainer::Job job = sites_job();
  job.federation.policy.algorithm = scheduler::Algorithm::kFedAsync;  // each update makes a model
  Kit kit(folder.path() / "run", job);
  kit.open();
  kit.join_all();
  auto begin = kit.upload(kit.rounds().at(1), kit.pack(1, 0));
  begin.epsilon = 1.75;
  begin.metrics.push_back({"leaves", 1});
  EXPECT_TRUE(kit->update("site1", begin));
  EXPECT_FALSE(kit.rounds().contains(1));
  const auto check = [&] {
    std::vector<scheduler::journal::AuditEvent> own;
    for (const auto& record : read_audit(folder.path() / "run" / "audit.jsonl").records) {
      if (record.event.site == "site1" && record.event.event != "join") own.push_back(record.event);
    }
    ASSERT_EQ(own.size(), 2U);
    EXPECT_EQ(own[0].event, "contribution");
    EXPECT_EQ(own[0].epsilon, 1.75);
    EXPECT_EQ(own[1].event, "leave");
    EXPECT_EQ(own[1].text, "privacy budget");
  };
  check();
  kit.crash();
  kit.open();
  check();
}

TEST(SiteFederation, RefusesAnUpdateThatStartsFromAnotherVersion) {
  TemporaryFolder folder;
  Kit kit(folder.path() / "run");
  kit.open();
  kit.join_all();
  auto begin = kit.upload(kit.rounds().at(0), kit.pack(0, 0));
  begin.version = 7;
  EXPECT_TRUE(kit->update("site0", begin));
  EXPECT_EQ(kit->server().policy().counts().refused, 1);
}

TEST(SiteFederation, KnowsWhoWasRemovedAndWhoHasLeft) {
  TemporaryFolder folder;
  Kit kit(folder.path() / "run");
  kit.open();
  kit.join_all();
  kit->command("boss", "remove site1");
  kit->leave(0, "done");
  for (const bool has_checkpoint : {false, false, true}) {
    EXPECT_TRUE(kit->is_removed("site1"));
    EXPECT_TRUE(kit->is_gone("site1"));
    EXPECT_TRUE(kit->is_gone("site0"));
    EXPECT_FALSE(kit->is_removed("site0"));
    if (has_checkpoint) kit->stop();
    kit.crash();
    kit.open();
  }
  EXPECT_TRUE(kit->is_removed("site1"));
  EXPECT_FALSE(kit->is_removed("site0"));
}

TEST(SiteFederation, IsNotEndedByWhatIsRefused) {
  TemporaryFolder folder;
  Kit kit(folder.path() / "run");
  kit.open();
  kit.join_all();
  for (int i = 0; i < 50; ++i) {
    const auto round = kit.rounds().at(0).round;
    EXPECT_TRUE(kit->awaits(0, round));
    EXPECT_TRUE(kit->update(
        "site0", {.update_id = fmt::format("none{}", i), .round = round, .finite = false}));
    EXPECT_FALSE(kit->awaits(0, round));
  }
  EXPECT_EQ(kit->server().policy().counts().received, 50);
  EXPECT_FALSE(kit->is_due_to_end()) << "40 updates that are of use are wanted";
}

TEST(SiteFederation, ReleasesPayloadsThatACheckpointContains) {
  TemporaryFolder folder;
  trainer::Job job = sites_job();
  job.sites.keep_updates = false;
  Kit kit(folder.path() / "run", job);
  kit.open();
  kit.join_all();
  for (std::int64_t turn = 0; turn < 6; ++turn) step(kit, turn);
  const auto count = [&] {
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder.path() / "run" / "updates")) {
      files += entry.is_regular_file() ? 1 : 0;
    }
    return files;
  };
  EXPECT_EQ(count(), 6U);
  kit->stop();
  EXPECT_EQ(count(), 0U);
  kit.crash();
  kit.open();
  step(kit, 0);
  EXPECT_EQ(count(), 1U);
}

}  // namespace
}  // namespace convoy::tests
