// SPDX-License-Identifier: Apache-2.0
// The server's side of sites without a network: crashes, replays, refusals.
#include "trainer/sites/site_federation.h"

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/errors.h"
#include "base/sha256.h"
#include "scheduler/journal/storage_error.h"
#include "tests/small_disk.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/federated/federation_fixture.h"
#include "trainer/parallel/replicas.h"
#include "trainer/sites/site_book.h"
#include "trainer/trainer.h"

namespace convoy::tests {
namespace {

namespace fs = std::filesystem;
using scheduler::journal::verify_audit;
using trainer::SiteFederation;

trainer::Job sites_job() {
  trainer::Job job = federated_job();
  job.federation.clock = "live";
  job.federation.updates = 40;
  job.sites.keep_updates = true;
  job.sites.evaluate = "clients";
  return job;
}

/// A federation in a folder, and sites that answer at once with random updates.
class Kit {
 public:
  explicit Kit(fs::path folder, trainer::Job job = sites_job())
      : job_(std::move(job)), request_{.run_dir = std::move(folder), .quiet = true} {
    trainer::make_run_dir(request_.run_dir);
  }

  void open(bool without_old_log = false) {
    const trainer::DataInfo info{.input_shape = {job_.data.features}, .classes = job_.data.classes};
    federation_.reset();
    federation_ = std::make_unique<SiteFederation>(job_, request_, info, nullptr, without_old_log);
  }
  /// As a crash leaves it: nothing is written any more.
  void crash() { federation_.reset(); }

  SiteFederation& operator*() { return *federation_; }
  SiteFederation* operator->() { return federation_.get(); }

  /// What the site sends for a round; the same for the same round.
  [[nodiscard]] trainer::TensorPack pack(std::int64_t client, std::int64_t round) const {
    torch::manual_seed(static_cast<std::uint64_t>(1000 * client + round));
    trainer::TensorPack pack;
    for (const auto& like : federation_->shape().like.parameters) {
      pack.parameters.push_back(0.01 * torch::randn_like(like));
    }
    return pack;
  }

  net::UploadBegin upload(const trainer::Assignment& round, const trainer::TensorPack& pack) {
    const std::string site = federation_->book().name_of(round.client);
    return upload(site, round, trainer::to_stream(pack, federation_->shape()));
  }

  net::UploadBegin upload(const std::string& site, const trainer::Assignment& round,
                          const std::vector<std::byte>& stream) {
    net::UploadBegin begin{.update_id = fmt::format("r{}", round.round),
                           .sha256 = sha256(stream),
                           .bytes = std::ssize(stream),
                           .round = round.round,
                           .version = round.version,
                           .steps = round.steps,
                           .samples = 10,
                           .position = round.position + round.steps,
                           .training_seconds = 0.5,
                           .metrics = {{"loss", 0.25}, {"trained", 16}}};
    auto one = federation_->store().begin({.site = site,
                                           .id = begin.update_id,
                                           .bytes = static_cast<std::uint64_t>(begin.bytes),
                                           .sha256 = begin.sha256});
    if (!one.is_finished()) {
      one.write(stream);
      one.finish();
    }
    return begin;
  }

  void join_all() {
    std::vector<SiteFederation::NewSite> sites;
    for (std::int64_t client = 0; client < job_.federation.clients; ++client) {
      sites.push_back({fmt::format("site{}", client), client, 10 + client});
    }
    federation_->join(sites);
  }

  /// The rounds that sites have now, those of before a crash too.
  [[nodiscard]] std::map<std::int64_t, trainer::Assignment> rounds() const {
    return federation_->server().outstanding();
  }

  [[nodiscard]] std::string hash() const {
    const auto& model = *federation_->server().aggregator().model();
    return fmt::format("{:x}", trainer::hash_of(model));
  }

  trainer::Job job_;
  trainer::RunRequest request_;

 private:
  std::unique_ptr<SiteFederation> federation_;
};

/// Lets the next site with a round answer, or time pass.
void step(Kit& kit, std::int64_t turn) {
  const auto rounds = kit.rounds();
  if (rounds.empty()) {
    kit->on_time();
    return;
  }
  auto found = rounds.begin();
  std::advance(found, turn % std::ssize(rounds));
  const auto& [client, round] = *found;
  const auto begin = kit.upload(round, kit.pack(client, round.round));
  EXPECT_TRUE(kit->update(kit->book().name_of(client), begin));
}

void run_to_the_end(Kit& kit, std::int64_t crash_every, std::int64_t checkpoint_every) {
  kit.job_.checkpoint.every_steps = checkpoint_every;
  kit.open();
  kit.join_all();
  for (std::int64_t turn = 0; !kit->is_due_to_end(); ++turn) {
    ASSERT_LT(turn, 1000);
    step(kit, turn);
    kit->look_after();
    if (crash_every > 0 && turn % crash_every == crash_every - 1) {
      kit.crash();
      kit.open();
    }
  }
  kit->shut_down();
}

std::map<std::string, int> contributions(const fs::path& audit) {
  std::map<std::string, int> seen;
  const auto report = verify_audit(audit);
  EXPECT_TRUE(report.findings.empty()) << report.findings.front();
  for (const auto& record : report.records) {
    if (record.event.event == "contribution") {
      ++seen[record.event.site + "/" + record.event.update];
    }
  }
  return seen;
}

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
  for (const auto& record : verify_audit(folder.path() / "run" / "audit.jsonl").records) {
    if (record.event.event != "refusal") continue;
    reasons[record.event.site] = record.event.text;
    updates[record.event.site] = record.event.update;
  }
  EXPECT_EQ(updates["site0"], "r0");
  EXPECT_EQ(updates["site3"], "none");
  EXPECT_NE(reasons["site0"].find("max_update_norm"), std::string::npos) << reasons["site0"];
  EXPECT_NE(reasons["site1"].find("not finite"), std::string::npos) << reasons["site1"];
  EXPECT_NE(reasons["site2"].find("no model"), std::string::npos) << reasons["site2"];
}

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
  for (std::string line; std::getline(events, line);) {
    const auto event = nlohmann::json::parse(line);
    if (event.value("kind", "") == "arrive") took[event.at("client")] = event.at("duration");
  }
  ASSERT_EQ(took.size(), 2U);
  EXPECT_NEAR(took[0], before, 0.1) << "from the beginning: an outage, so no sample of speed";
  EXPECT_GE(took[1], took[0]);
}

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
  const auto before = verify_audit(folder.path() / "run" / "audit.jsonl").records.size();
  kit->command("alice", "pause");
  EXPECT_EQ(verify_audit(folder.path() / "run" / "audit.jsonl").records.size(), before + 1)
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
  const auto audited = [&] { return verify_audit(run / "audit.jsonl").records.size(); };
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
  const auto before = verify_audit(audit).records;
  kit.crash();
  fs::resize_file(audit, 0);
  kit.open();
  const auto after = verify_audit(audit).records;
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(after[i].event.event, before[i].event.event);
    EXPECT_EQ(after[i].event.update, before[i].event.update);
    EXPECT_EQ(after[i].event.text, before[i].event.text);
    EXPECT_EQ(after[i].event.weight, before[i].event.weight);
  }
}

TEST(SiteBook, BoundsOneThatComesLater) {
  trainer::SiteBook book;
  book.add("a", {.client = 0, .samples = 100});
  book.add("b", {.client = 1, .samples = 100});
  EXPECT_EQ(book.bounded_latecomer(1000, 1.0), 1000);
  EXPECT_EQ(book.bounded_latecomer(1000, 0.5), 200);  // half of all three
  EXPECT_EQ(book.bounded_latecomer(7, 0.5), 7);
  EXPECT_EQ(book.bounded_latecomer(std::numeric_limits<std::int64_t>::max(), 0.2), 50);
}

TEST(SiteBook, BoundsTheShareOfTheLargest) {
  using trainer::bounded_samples;
  EXPECT_EQ(bounded_samples({10, 20, 30}, 1.0), (std::vector<std::int64_t>{10, 20, 30}));
  EXPECT_EQ(bounded_samples({10, 10, 80}, 0.5), (std::vector<std::int64_t>{10, 10, 20}));
  EXPECT_EQ(bounded_samples({10, 10, 80}, 0.1), (std::vector<std::int64_t>{10, 10, 10}));
  const auto two = bounded_samples({100, 100, 10, 10, 10}, 0.3);  // c = 0.3 (30 + 2c)
  EXPECT_EQ(two, (std::vector<std::int64_t>{22, 22, 10, 10, 10}));
}

}  // namespace
}  // namespace convoy::tests
