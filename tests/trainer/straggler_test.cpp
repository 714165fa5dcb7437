// SPDX-License-Identifier: Apache-2.0
#include "trainer/straggler.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/errors.h"
#include "tests/trainer/training_fixture.h"

namespace convoy::trainer {
namespace {

namespace fs = std::filesystem;

TEST(SlowestOf, IsTheOneThatComputesLongest) {
  const auto found = slowest_of(std::vector{1.0, 4.0, 2.0}, std::vector{9.0, 9.0, 9.0});
  EXPECT_EQ(found.rank, 1);
  EXPECT_DOUBLE_EQ(found.waited, (3.0 + 2.0) / 2);
}

TEST(SlowestOf, NobodyWaitsLongerThanHeDid) {
  const auto found = slowest_of(std::vector{1.0, 4.0, 2.0}, std::vector{0.5, 9.0, 9.0});
  EXPECT_DOUBLE_EQ(found.waited, (0.5 + 2.0) / 2);
}

TEST(SlowestOf, EqualRanksWaitForNobody) {
  const auto found = slowest_of(std::vector{2.0, 2.0}, std::vector{1.0, 1.0});
  EXPECT_EQ(found.rank, 0);
  EXPECT_EQ(found.waited, 0.0);
  EXPECT_THROW((void)slowest_of(std::vector{2.0}, std::vector{1.0}), ContractError);
}

std::vector<nlohmann::json> train_lines(const fs::path& run_dir) {
  std::ifstream file(run_dir / "metrics.jsonl");
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(file, line);) {
    auto json = nlohmann::json::parse(line);
    if (json.at("kind") == "train") lines.push_back(std::move(json));
  }
  return lines;
}

TEST(Straggler, IsNamedInTheMetricsWithWhatTheOthersWaited) {
  for (const char* overlap : {"true", "next_forward"}) {
    const tests::TemporaryFolder folder;
    Job job = tests::small_job();
    job.communication.overlap = overlap;
    job.train.emulate_sample_seconds = {0.0, 0.0, 0.005};  // 40 ms a step
    (void)tests::train_local(job, 3, folder.path());
    const auto lines = train_lines(folder.path());
    ASSERT_EQ(lines.size(), 4U);
    for (const auto& line : lines) {
      EXPECT_EQ(line.at("slowest_rank"), 2) << overlap;
      EXPECT_GT(line.at("waited"), 0.02) << overlap;
      EXPECT_LE(line.at("waited"), 1e-3 * line.at("step_ms").get<double>()) << overlap;
    }
  }
}

TEST(Straggler, IsNobodyAloneOrWhereRanksWaitInsideLayers) {
  Job job = tests::small_job();
  job.train.steps = 5;
  const tests::TemporaryFolder alone;
  (void)tests::train_local(job, 1, alone.path());
  EXPECT_FALSE(train_lines(alone.path()).at(0).contains("slowest_rank"));
  job = tests::image_job();
  job.train.sync_batchnorm = true;
  const tests::TemporaryFolder waiting;
  (void)tests::train_local(job, 2, waiting.path());
  EXPECT_FALSE(train_lines(waiting.path()).at(0).contains("slowest_rank"));
}

}  // namespace
}  // namespace convoy::trainer
