// SPDX-License-Identifier: Apache-2.0
// What a federation that is resumed finds in its run directory, and leaves there.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/federated/federation_fixture.h"
#include "trainer/federated/federated_metrics.h"

namespace convoy::trainer {
namespace {

using Json = nlohmann::json;
using tests::federate_here;
using tests::federated_job;
using tests::TemporaryFolder;

/// The lines of metrics.jsonl of one kind.
std::vector<Json> lines(const std::filesystem::path& run_dir, const std::string& kind) {
  std::vector<Json> found;
  std::istringstream text(read_text_file(run_dir / "metrics.jsonl"));
  for (std::string line; std::getline(text, line);) {
    auto json = Json::parse(line);
    if (json.at("kind") == kind) found.push_back(std::move(json));
  }
  return found;
}

FederatedSummary resume(const Job& job, const std::filesystem::path& run_dir,
                        const std::filesystem::path& checkpoint = {}) {
  FederatedSummary summary;
  comm::local::run(1, [&](comm::Communicator& world) {
    summary = federate(
        world, job, {.run_dir = run_dir, .resume = true, .checkpoint = checkpoint, .quiet = true});
  });
  return summary;
}

/// What an end makes of updates that wait has not been, where the run goes on.
TEST(FederatedResume, CutsModelsThatTheCheckpointDoesNotKnow) {
  const TemporaryFolder folder;
  Evaluation found{.loss = 1.0, .accuracy = 0.5, .samples = 1};
  {
    FederatedMetrics metrics(folder.path(), true, true);
    for (std::int64_t version = 1; version <= 4; ++version) {
      const std::int64_t step = std::min<std::int64_t>(version, 3);  // the fourth is of the end
      metrics.new_model({.version = version}, step);
      metrics.evaluation(found, 0.0, version, step);
    }
  }
  FederatedMetrics resumed(folder.path(), true, true, 3, 3);
  const auto models = lines(folder.path(), "aggregate");
  ASSERT_EQ(models.size(), 3U);
  EXPECT_EQ(models.back().at("version"), 3);
  EXPECT_EQ(lines(folder.path(), "evaluation").size(), 3U);

  resumed.evaluation(found, 0.0, 3, 3);
  EXPECT_EQ(lines(folder.path(), "evaluation").size(), 3U) << "the file has it";
  resumed.evaluation(found, 0.0, 4, 5);
  EXPECT_EQ(lines(folder.path(), "evaluation").size(), 4U);
}

TEST(FederatedResume, OfAFinishedRunChangesNothing) {
  for (const std::int64_t updates : {28, 30}) {  // with the last model evaluated before, or not
    const TemporaryFolder folder;
    Job job = federated_job();
    job.federation.policy.algorithm = scheduler::Algorithm::kFedAsync;
    job.federation.updates = updates;
    const auto before = federate_here(job, folder.path());
    const std::string metrics = read_text_file(folder.path() / "metrics.jsonl");
    const auto after = resume(job, folder.path());
    EXPECT_EQ(read_text_file(folder.path() / "metrics.jsonl"), metrics) << updates;
    EXPECT_EQ(after.run.parameters_hash, before.run.parameters_hash);
    EXPECT_EQ(after.run.accuracy, before.run.accuracy);
  }
}

/// A run that was killed while it evaluated: the evaluation is due, not done.
TEST(FederatedResume, DoesAnEvaluationAgainThatWasUnderWay) {
  const TemporaryFolder folder;
  Job job = federated_job();
  job.federation.policy.algorithm = scheduler::Algorithm::kFedAsync;
  job.federation.clock = "throttled";
  job.federation.speed_list = {0.002, 0.003, 0.008, 0.001};
  job.federation.evaluate_every = 5;
  job.federation.updates = 9;
  job.checkpoint.every_steps = 1;
  job.checkpoint.keep = 100;
  (void)federate_here(job, folder.path());
  // The checkpoint after update 5 was begun when the evaluation had just been.
  write_file_atomic(folder.path() / "metrics.jsonl", "");
  (void)resume(job, folder.path(), folder.path() / "checkpoints" / "step-5");
  const auto evaluations = lines(folder.path(), "evaluation");
  ASSERT_FALSE(evaluations.empty());
  EXPECT_LT(evaluations.front().at("step"), 9) << "it waits for the next one that is due";
}

}  // namespace
}  // namespace convoy::trainer
