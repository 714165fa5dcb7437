// SPDX-License-Identifier: Apache-2.0
// Real training under real mpirun, and the ways in which it can be stopped.
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/launch/child.h"

namespace convoy::tests {
namespace {

namespace fs = std::filesystem;

/// Never ends by itself.
constexpr const char* kLongJob = R"(
[data]
name = "synthetic"
samples = 2000
[model]
name = "mlp"
hidden = 16
[train]
steps = 100000000
batch_size = 8
[metrics]
every_steps = 5
)";

class Stopping : public testing::Test {
 protected:
  /// Nobody may be left, whatever a test does.
  void TearDown() override {
    const auto all_gone = [this] { return find_processes(run_dir_).empty(); };
    EXPECT_TRUE(eventually(all_gone, std::chrono::seconds(10))) << "orphans";
    for (const pid_t pid : find_processes(run_dir_)) ::kill(pid, SIGKILL);
  }

  [[nodiscard]] std::vector<std::string> train(const std::vector<std::string>& before = {}) const {
    std::vector<std::string> words = before;
    for (const auto& word : {std::string("train"), job_, std::string("--run-dir"), run_dir_}) {
      words.push_back(word);
    }
    return words;
  }

  [[nodiscard]] std::vector<std::string> launch_train() const {
    return train({"launch", "-n", "2", "--"});
  }

  /// Waits until steps have been made.
  [[nodiscard]] bool is_training() const {
    return eventually([this] {
      std::error_code missing;
      return fs::file_size(fs::path(run_dir_) / "metrics.jsonl", missing) > 0 && !missing;
    });
  }

  [[nodiscard]] nlohmann::json summary() const {
    return nlohmann::json::parse(std::ifstream(fs::path(run_dir_) / "summary.json"), nullptr,
                                 false);
  }

  TemporaryFolder folder_;
  std::string job_ = folder_.file("job.toml", kLongJob);
  std::string run_dir_ = (folder_.path() / "result").string();
};

TEST_F(Stopping, RunToTheEndPrintsItsSummary) {
  auto words = launch_train();
  words.insert(words.end(), {"--set", "train.steps=4", "--json"});
  Child child(folder_, words);
  ASSERT_EQ(child.wait(), 0) << child.errors();
  const auto printed = nlohmann::json::parse(child.output());
  EXPECT_EQ(printed["steps"], 4);
  EXPECT_EQ(printed["ranks"], 2);
  EXPECT_EQ(printed, summary());
}

TEST_F(Stopping, CtrlCMakesACheckpointThatResumes) {
  Child child(folder_, launch_train());
  ASSERT_TRUE(is_training()) << child.errors();
  child.signal(SIGINT);
  ASSERT_EQ(child.wait(), 0) << child.errors();
  EXPECT_FALSE(fs::is_empty(fs::path(run_dir_) / "checkpoints"));
  const auto stopped = summary();
  EXPECT_EQ(stopped["interrupted"], true);
  const int steps = stopped["steps"].get<int>();

  const std::string length = "train.steps=" + std::to_string(steps + 3);
  Child resumed(folder_,
                {"launch", "-n", "2", "--", "train", "--resume", run_dir_, "--set", length});
  ASSERT_EQ(resumed.wait(), 0) << resumed.errors();
  EXPECT_EQ(summary()["steps"], steps + 3);
}

TEST_F(Stopping, SignalBeforeRanksAreReadyEndsThemAll) {
  Child child(folder_, launch_train());
  ASSERT_TRUE(eventually([this] { return !find_ranks(run_dir_).empty(); })) << child.errors();
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(std::chrono::seconds(15)), 128 + SIGTERM) << child.errors();
}

TEST_F(Stopping, KilledRankEndsTheJobAndIsNamed) {
  Child child(folder_, launch_train());
  ASSERT_TRUE(is_training()) << child.errors();
  const auto ranks = find_ranks(run_dir_);
  ASSERT_EQ(ranks.size(), 2U);
  ::kill(ranks[1].second, SIGKILL);
  const auto code = child.wait(std::chrono::seconds(15));
  ASSERT_TRUE(code.has_value());
  EXPECT_NE(*code, 0);
  EXPECT_NE(child.errors().find("rank 1"), std::string::npos) << child.errors();
}

TEST_F(Stopping, KilledLaunchLeavesNoRanks) {
  Child child(folder_, launch_train());
  ASSERT_TRUE(is_training()) << child.errors();
  child.signal(SIGKILL);
  EXPECT_EQ(child.wait(), 128 + SIGKILL);
}

TEST_F(Stopping, CtrlCOnPlainTrainMakesACheckpoint) {
  auto words = train();
  words.insert(words.end(), {"--set", "communication.local_ranks=2"});
  Child child(folder_, words);
  ASSERT_TRUE(is_training()) << child.errors();
  child.signal(SIGINT);
  ASSERT_EQ(child.wait(), 0) << child.errors();
  EXPECT_EQ(summary()["interrupted"], true);
  EXPECT_NE(child.output().find("--resume " + run_dir_), std::string::npos) << child.output();
}

TEST_F(Stopping, TerminatedRankSaysSo) {
  Child child(folder_, train());
  ASSERT_TRUE(is_training()) << child.errors();
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 128 + SIGTERM);
  EXPECT_NE(child.errors().find("convoy rank 0: SIGTERM; the last checkpoint stands\n"),
            std::string::npos);
}

}  // namespace
}  // namespace convoy::tests
