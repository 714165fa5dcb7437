// SPDX-License-Identifier: Apache-2.0
// Whole federations with [privacy].
#include "trainer/federated/federation_privacy.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/file.h"
#include "scheduler/replay.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/federated/federation_fixture.h"
#include "trainer/privacy/ledger.h"

namespace convoy::trainer {
namespace {

using scheduler::Algorithm;
using tests::federate_here;
using tests::federated_job;
using tests::TemporaryFolder;

Job private_job(const TemporaryFolder& folder) {
  Job job = federated_job();
  job.data.partition.name = "iid";
  job.federation.clock = "throttled";
  job.federation.speed_list = {0.001, 0.0012, 0.0031, 0.0007};
  job.privacy.mode = "per_sample";
  job.privacy.sigma = 1.0;
  job.privacy.rate = 0.1;
  job.privacy.epsilon = 100.0;
  job.privacy.ledger = folder / "ledgers";
  return job;
}

std::string refusal(const Job& job, const TemporaryFolder& folder) {
  try {
    (void)federate_here(job, folder / "refused");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

std::vector<privacy::Account> accounts(const Job& job) {
  std::vector<privacy::Account> found;
  for (const auto& entry : std::filesystem::directory_iterator(job.privacy.ledger)) {
    found.push_back(privacy::read_account(entry.path()));
  }
  return found;
}

TEST(FederationPrivacy, ReportsTheAccountantsEpsilonOfTheStepsDone) {
  for (const std::string clock : {"throttled", "live"}) {
    for (const bool compressed : {false, true}) {
      const TemporaryFolder folder;
      Job job = private_job(folder);
      job.federation.clock = clock;
      if (compressed) job.compression.family = "quantize";
      const auto summary = federate_here(job, folder / "run");
      EXPECT_EQ(summary.updates, 30);
      ASSERT_TRUE(summary.privacy.has_value());
      ASSERT_EQ(summary.privacy->sites.size(), 4U);
      std::int64_t steps = 0;
      for (const auto& [client, report] : summary.privacy->sites) {
        privacy::Accountant expected;
        expected.add({0.1, 1.0}, report.steps);
        EXPECT_EQ(report.epsilon, expected.spent(1e-5).epsilon);
        EXPECT_FALSE(report.leaves);
        steps += report.steps;
      }
      EXPECT_GE(steps, summary.run.steps);  // what came too late was trained too
      const auto ledgers = accounts(job);
      ASSERT_EQ(ledgers.size(), 4U);
      for (const auto& account : ledgers) EXPECT_EQ(account.insecure_steps, 0);
      const auto json = nlohmann::json::parse(read_text_file(folder / "run/summary.json"));
      EXPECT_EQ(json.at("privacy").at("insecure"), false);
      EXPECT_EQ(json.at("privacy").at("protects"), "record");
      EXPECT_EQ(json.at("privacy").at("sites").size(), 4U);
      EXPECT_TRUE(json.at("train_loss").is_null());
      const std::string metrics = read_text_file(folder / "run/metrics.jsonl");
      EXPECT_NE(metrics.find(R"("kind":"aggregate")"), std::string::npos);
      EXPECT_EQ(metrics.find(R"("client_loss":0)"), std::string::npos);
    }
  }
}

TEST(FederationPrivacy, LearnsWithNoise) {
  const TemporaryFolder folder;
  Job job = private_job(folder);
  job.data.samples = 2400;
  job.privacy.sigma = 0.5;
  job.privacy.epsilon = 1000.0;
  job.train.optimizer.lr = 0.3;
  const auto summary = federate_here(job, folder / "run");
  EXPECT_GT(summary.run.accuracy, 0.8);
}

TEST(FederationPrivacy, SitesLeaveWhenTheirBudgetIsSpentAndTheRunEndsWithTheLast) {
  for (const auto algorithm :
       {Algorithm::kFedCompass, Algorithm::kFedAvg, Algorithm::kFedAsync, Algorithm::kFedBuff}) {
    SCOPED_TRACE(to_text(algorithm));
    const TemporaryFolder folder;
    Job job = private_job(folder);
    job.federation.policy.algorithm = algorithm;
    job.federation.policy.buffer_size = 2;
    job.federation.updates = 1000;
    privacy::Accountant budget;
    budget.add({0.1, 1.0}, 23);
    job.privacy.epsilon = budget.spent(1e-5).epsilon;
    const auto summary = federate_here(job, folder / "run");
    EXPECT_LT(summary.updates, 4 * 23 + 1);
    EXPECT_EQ(summary.schedule.counts.refused, 0);
    for (const auto& [client, report] : summary.privacy->sites) {
      EXPECT_EQ(report.steps, 23);
      EXPECT_EQ(report.epsilon, job.privacy.epsilon);
      EXPECT_TRUE(report.leaves);
    }
    const auto json = nlohmann::json::parse(to_json(summary));
    EXPECT_EQ(json.at("privacy").at("sites").at(0).at("left"), "privacy budget");
    std::ifstream log(folder / "run/events.jsonl");
    const auto replay = scheduler::replay(log, std::nullopt, "events.jsonl");
    EXPECT_FALSE(replay.difference.has_value()) << *replay.difference;
    // What is spent stays spent, also for another run with other files.
    EXPECT_NE(refusal(job, folder).find("which leaves no step"), std::string::npos);
  }
}

TEST(FederationPrivacy, ProtectsWholeSites) {
  const TemporaryFolder folder;
  Job job = private_job(folder);
  job.privacy.mode = "per_update";
  job.privacy.rate = 0.0;
  job.privacy.sigma = 3.0;
  const auto summary = federate_here(job, folder / "run");
  std::int64_t releases = 0;
  for (const auto& [client, report] : summary.privacy->sites) {
    privacy::Accountant expected;
    expected.add({1.0, 3.0}, report.steps);
    EXPECT_EQ(report.epsilon, expected.spent(1e-5).epsilon);
    releases += report.steps;
  }
  EXPECT_GE(releases, 30);
  EXPECT_LE(releases, 34);  // rounds that were under way at the end
}

TEST(FederationPrivacy, MarksInsecureNoiseInEveryOutput) {
  const TemporaryFolder folder;
  Job job = private_job(folder);
  job.privacy.insecure_seed = 7;
  const auto summary = federate_here(job, folder / "run");
  EXPECT_EQ(nlohmann::json::parse(to_json(summary)).at("privacy").at("insecure"), true);
  for (const auto& account : accounts(job)) {
    EXPECT_EQ(account.insecure_steps, account.spent.steps());
  }
}

TEST(FederationPrivacy, RefusesWhatWouldUndoIt) {
  const TemporaryFolder folder;
  const Job good = private_job(folder);
  Job job = good;
  job.federation.clock = "virtual";
  EXPECT_NE(refusal(job, folder).find("federation.clock = \"virtual\""), std::string::npos);
  job.privacy.insecure_seed = 1;  // not even then
  EXPECT_NE(refusal(job, folder), "");
  job = good;
  job.federation.validation = 0.2;
  EXPECT_NE(refusal(job, folder).find("federation.validation"), std::string::npos);
  job = good;
  job.privacy.ledger = folder / "refused/ledgers";
  EXPECT_NE(refusal(job, folder).find("outside the run directory"), std::string::npos);
  job = good;
  job.privacy.rate = 0.0;
  EXPECT_NE(refusal(job, folder).find("privacy.rate"), std::string::npos);
  job = good;
  job.privacy.epsilon = 0.01;
  EXPECT_NE(refusal(job, folder).find("allows no step"), std::string::npos);
  job = good;
  job.data.name = "synthetic";
  EXPECT_EQ(refusal(good, folder), "");
}

}  // namespace
}  // namespace convoy::trainer
