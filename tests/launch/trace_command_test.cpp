// SPDX-License-Identifier: Apache-2.0
// `convoy train --trace` as a program of two processes.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "tests/launch/child.h"

namespace convoy::tests {
namespace {

namespace fs = std::filesystem;

class TraceCommand : public testing::Test {
 protected:
  [[nodiscard]] std::vector<std::string> train(const std::vector<std::string>& more) const {
    std::vector<std::string> words{"train", job_, "--run-dir", run_dir_};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  [[nodiscard]] std::vector<std::string> launch_train(const std::vector<std::string>& more) const {
    std::vector<std::string> words = train(more);
    words.insert(words.begin(), {"launch", "-n", "2", "--"});
    return words;
  }

  /// Exit code 2 and nothing but this line; nothing has been trained.
  void expect_refused(const std::vector<std::string>& more, const std::string& line) const {
    Child child(folder_, train(more));
    EXPECT_EQ(child.wait(), 2);
    EXPECT_EQ(child.errors(), "convoy: " + line + "\n");
    EXPECT_FALSE(fs::exists(fs::path(run_dir_) / "metrics.jsonl"));
  }

  TemporaryFolder folder_;
  std::string job_ = folder_.file("job.toml", R"(
[data]
name = "synthetic"
samples = 2000
[model]
name = "mlp"
hidden = 16
[train]
steps = 6
batch_size = 8
[metrics]
every_steps = 2
)");
  std::string run_dir_ = (folder_.path() / "result").string();
  std::string file_ = (folder_.path() / "trace.json").string();
};

/// The steps that a trace shows, by rank.
std::vector<std::set<int>> steps_in(const std::string& file) {
  std::vector<std::set<int>> steps(2);
  const auto document = nlohmann::json::parse(read_text_file(file));
  for (const auto& event : document.at("traceEvents")) {
    if (event.at("ph") != "X") continue;
    steps.at(event.at("pid").get<std::size_t>()).insert(event.at("args").at("step").get<int>());
  }
  return steps;
}

TEST_F(TraceCommand, WritesOneFileOfAllRanks) {
  Child child(folder_, launch_train({"--trace", file_, "--trace-steps", "2:4"}));
  ASSERT_EQ(child.wait(), 0) << child.errors();
  EXPECT_EQ(steps_in(file_), (std::vector<std::set<int>>{{2, 3, 4}, {2, 3, 4}}));
}

TEST_F(TraceCommand, StoppedWritesWhatThereIs) {
  Child child(folder_, launch_train({"--trace", file_, "--trace-steps", "1:100000000", "--set",
                                     "train.steps=100000000"}));
  ASSERT_TRUE(eventually([this] {
    std::error_code missing;
    return fs::file_size(fs::path(run_dir_) / "metrics.jsonl", missing) > 0 && !missing;
  })) << child.errors();
  EXPECT_FALSE(fs::exists(file_));
  child.signal(SIGINT);
  ASSERT_EQ(child.wait(), 0) << child.errors();
  for (const auto& steps : steps_in(file_)) EXPECT_TRUE(steps.contains(1));
}

TEST_F(TraceCommand, RefusesWhatCannotBe) {
  expect_refused({"--trace", file_ + "/nowhere/t.json"},
                 "cannot write " + file_ + "/nowhere/t.json: No such file or directory");
  expect_refused({"--trace", folder_.path().string()},
                 "cannot write " + folder_.path().string() + ": it is a folder");
  expect_refused({"--trace-steps", "1:4"}, "--trace-steps needs --trace FILE");
  for (const char* steps : {"4", "0:4", "5:4", "1:4x", ":", "-1:4"}) {
    expect_refused({"--trace", file_, "--trace-steps", steps},
                   "--trace-steps " + std::string(steps) + ": must be like 10:29, from step 1 on");
  }
  expect_refused({"--trace", file_, "--trace-steps", "7:9"},
                 "there is nothing to trace in steps 7 to 9: this run has steps 1 to 6");
  EXPECT_FALSE(fs::exists(file_));
}

}  // namespace
}  // namespace convoy::tests
