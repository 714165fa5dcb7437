// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/site_privacy.h"

#include <gtest/gtest.h>

#include <string>

#include "base/errors.h"
#include "tests/temporary_folder.h"

namespace convoy::trainer {
namespace {

namespace fs = std::filesystem;

constexpr privacy::Mechanism kStep{.q = 0.1, .sigma = 1.0};

class SitePrivacyTest : public ::testing::Test {
 protected:
  SitePrivacyTest() {
    std::string table = "a,b,c,outcome\n";
    for (int i = 0; i < 60; ++i) {
      table += std::to_string(i) + "," + std::to_string(i * i % 7) + "," + std::to_string(i % 3) +
               (i % 2 == 0 ? ",ill\n" : ",well\n");
    }
    own = {.site = "clinic",
           .data_path = folder.file("table.csv", table),
           .share = {},
           .policy = {.ledger = folder / "ledgers"}};
  }
  /// As a server offers it.
  [[nodiscard]] static Job offered() {
    Job job;
    job.run.seed = 3;
    job.data.name = "csv";
    job.data.label = "outcome";
    job.data.columns = {"a", "b"};
    job.data.labels = {"ill", "well"};
    job.model.name = "mlp";
    job.federation.clock = "live";
    job.privacy = {.mode = "per_sample", .clip = 1.0, .sigma = 1.0, .rate = 0.1, .epsilon = 4.0};
    return job;
  }
  [[nodiscard]] SiteJob load(const Job& job) const {
    SiteJob loaded = load_site_job(own_job(job, own), own.share);
    loaded.ledger = open_site_ledger(loaded.job, own);
    return loaded;
  }
  [[nodiscard]] std::int64_t ledgers() const {
    return std::distance(fs::directory_iterator(own.policy.ledger), fs::directory_iterator());
  }

  tests::TemporaryFolder folder;
  SiteBelongings own;
};

TEST_F(SitePrivacyTest, AllJobsOnTheSameFilesSpendOneBudget) {
  (void)load(offered()).ledger->spend(kStep, 5, "first", true);
  std::int64_t spent = 5;
  std::vector<Job> others(5, offered());
  others[0].run.seed = 4;
  others[1].data.columns = {"b", "a"};
  others[2].data.columns = {"c"};
  others[3].data.limit = 40;
  others[4].data.label = "c";
  others[4].data.labels = {"0", "1", "2"};
  for (const Job& other : others) {
    const SiteJob loaded = load(other);
    EXPECT_EQ(loaded.ledger->account().spent.steps(), spent);
    loaded.ledger->spend(kStep, 1, "next", true);
    ++spent;
  }
  EXPECT_EQ(ledgers(), 1);
}

TEST_F(SitePrivacyTest, ASpentBudgetIsSpentForEveryJob) {
  SiteJob first = load(offered());
  const auto all = first.ledger->allowed(kStep, 1'000'000);
  first.ledger->spend(kStep, all, "all", true);
  first.ledger = nullptr;
  Job other = offered();
  other.run.seed = 77;
  other.data.limit = 30;
  SiteJob second = load(other);
  EXPECT_TRUE(make_site_privacy(second, 1).is_spent);
}

TEST_F(SitePrivacyTest, OtherSharesAndOtherFilesAreOtherRecords) {
  const privacy::LedgerOwner owner = ledger_owner(offered(), own);
  SiteBelongings other = own;
  other.share = {.index = 1, .of = 2};
  EXPECT_NE(ledger_owner(offered(), other).data, owner.data);
  other = own;
  other.data_path = folder.file("other.csv", "a,b\n");
  EXPECT_NE(ledger_owner(offered(), other).data, owner.data);
  EXPECT_EQ(owner.site, "clinic");
}

TEST_F(SitePrivacyTest, AKindThatReadsNoFilesOpensNoOtherLedgerWhereThereAreSome) {
  Job synthetic = offered();
  synthetic.data.name = "synthetic";
  EXPECT_EQ(ledger_owner(synthetic, own), ledger_owner(offered(), own));
  own.data_path.clear();
  const auto made = ledger_owner(synthetic, own);
  synthetic.run.seed += 1;
  synthetic.data.limit = 10;
  EXPECT_EQ(ledger_owner(synthetic, own), made);
  synthetic.data.samples += 1;
  EXPECT_NE(ledger_owner(synthetic, own), made);
}

TEST_F(SitePrivacyTest, TriesTheLedgerWithoutTakingIt) {
  const Job job = own_job(offered(), own);
  const std::string path = require_site_ledger(job, own);
  EXPECT_FALSE(fs::exists(path));
  const SiteJob loaded = load(offered());
  const std::string text = require_site_ledger(job, own);
  EXPECT_EQ(text, "spent is epsilon 0.000000 of 4 at delta 1e-05, in " + path);
  EXPECT_EQ(loaded.ledger->path(), path);
  Job open_job = offered();
  open_job.privacy.mode = "none";
  EXPECT_EQ(require_site_ledger(open_job, own), "");
  EXPECT_EQ(open_site_ledger(open_job, own), nullptr);
}

}  // namespace
}  // namespace convoy::trainer
