// SPDX-License-Identifier: Apache-2.0
// The server of sites on disks that are full or have lost something.
#include <gtest/gtest.h>

#include <fstream>

#include "base/errors.h"
#include "scheduler/journal/storage_error.h"
#include "tests/small_disk.h"
#include "tests/trainer/sites/site_federation_kit.h"

namespace convoy::tests {
namespace {

TEST(SiteFederation, GoesOnWhereACheckpointCannotBeWritten) {
  TemporaryFolder folder;
  Kit kit(folder.path() / "run");
  kit.job_.checkpoint.every_steps = 2;
  const fs::path checkpoints = folder.path() / "run" / "checkpoints";
  kit.open();
  kit.join_all();
  fs::remove_all(checkpoints);
  { std::ofstream(checkpoints) << "in the way"; }
  for (std::int64_t turn = 0; turn < 6; ++turn) {
    step(kit, turn);
    EXPECT_NO_THROW(kit->look_after());
  }
  EXPECT_NO_THROW(kit->stop());
  const std::string hash = kit.hash();
  kit.crash();
  fs::remove(checkpoints);
  kit.open();  // all of it from the log
  EXPECT_EQ(kit.hash(), hash);
  EXPECT_EQ(kit->server().policy().counts().received, 6);
  kit->stop();
  EXPECT_TRUE(fs::is_directory(checkpoints));
}

TEST(SiteFederation, GoesOnWithoutALostLogAndNeedsNoWordOfItAtTheNextStart) {
  TemporaryFolder folder;
  Kit kit(folder.path() / "run");
  kit.open();
  kit.join_all();
  for (std::int64_t turn = 0; turn < 5; ++turn) step(kit, turn);
  kit->stop();
  const std::string hash = kit.hash();
  kit.crash();
  EXPECT_THROW(kit.open(true), ConfigError) << "the log is not lost";
  fs::remove_all(folder.path() / "run" / "log");
  fs::remove(folder.path() / "run" / "run-id");
  EXPECT_ANY_THROW(kit.open());
  kit.open(true);
  EXPECT_EQ(kit.hash(), hash);
  kit.crash();
  kit.open();
  EXPECT_EQ(kit.hash(), hash);
  const auto before = read_audit(folder.path() / "run" / "audit.jsonl").records.size();
  kit->command("alice", "pause");
  EXPECT_EQ(read_audit(folder.path() / "run" / "audit.jsonl").records.size(), before + 1)
      << "events go on being written";
}

/// What the log could not take has never been, for the audit log either.
TEST(SiteFederation, AFullDiskLeavesNothingThatIsOnlyInTheAuditLog) {
  TemporaryFolder folder;
  const fs::path run = folder.path() / "run";
  fs::create_directories(run);
  const SmallDisk disk(run / "log", "64k");
  if (!disk.is_there()) GTEST_SKIP() << "no right to mount";
  trainer::Job job = sites_job();
  job.federation.policy.algorithm = scheduler::Algorithm::kFedAsync;
  Kit kit(run, job);
  kit.open();
  kit.join_all();
  const auto audited = [&] { return read_audit(run / "audit.jsonl").records.size(); };
  const auto before = audited();
  {
    std::ofstream ballast(run / "log" / "ballast");
    while (ballast << std::string(512, 'x') << std::flush) {
    }
  }
  // The segment's last block has room for a few more.
  std::int64_t taken = 0;
  EXPECT_THROW(
      for (; taken < 100; ++taken) {
        const auto round = kit.rounds().at(0);
        (void)kit->update("site0", kit.upload(round, kit.pack(0, round.round)));
      },
      scheduler::journal::StorageError);
  EXPECT_EQ(static_cast<std::int64_t>(audited() - before), taken);
  kit.crash();
  fs::remove(run / "log" / "ballast");
  kit.open();
  const auto round = kit.rounds().at(0);
  const auto begin = kit.upload(round, kit.pack(0, round.round));
  EXPECT_TRUE(kit->update("site0", begin));
  for (const auto& [update, times] : contributions(run / "audit.jsonl"))
    EXPECT_EQ(times, 1) << update;
}

TEST(SiteFederation, WritesTheSameAuditAgainWhereAPowerFailureHasTakenIt) {
  TemporaryFolder folder;
  trainer::Job job = sites_job();
  job.sites.max_update_norm = 5.0;
  Kit kit(folder.path() / "run", job);
  kit.open();
  kit.join_all();
  auto huge = kit.pack(0, 0);
  huge.parameters[0].fill_(100.0);
  EXPECT_TRUE(kit->update("site0", kit.upload(kit.rounds().at(0), huge)));
  step(kit, 1);
  const fs::path audit = folder.path() / "run" / "audit.jsonl";
  const auto before = read_audit(audit).records;
  kit.crash();
  fs::resize_file(audit, 0);
  kit.open();
  const auto after = read_audit(audit).records;
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(after[i].event.event, before[i].event.event);
    EXPECT_EQ(after[i].event.update, before[i].event.update);
    EXPECT_EQ(after[i].event.text, before[i].event.text);
    EXPECT_EQ(after[i].event.weight, before[i].event.weight);
  }
}

}  // namespace
}  // namespace convoy::tests
