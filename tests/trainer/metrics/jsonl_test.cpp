// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"
#include "trainer/metrics/metrics.h"

namespace convoy::trainer {
namespace {

namespace fs = std::filesystem;

class Jsonl : public testing::Test {
 protected:
  [[nodiscard]] fs::path path() const { return folder_ / "metrics.jsonl"; }

  [[nodiscard]] std::vector<nlohmann::json> lines() const {
    std::ifstream file(path());
    std::vector<nlohmann::json> result;
    for (std::string line; std::getline(file, line);) result.push_back(nlohmann::json::parse(line));
    return result;
  }

  void write_steps(std::initializer_list<std::int64_t> steps, std::int64_t resume_step) const {
    const auto sink = make_jsonl_sink(path(), resume_step);
    for (const auto step : steps) sink->interval({.step = step});
  }

  tests::TemporaryFolder temporary_;
  const fs::path& folder_ = temporary_.path();
};

TEST_F(Jsonl, WritesEveryField) {
  const auto sink = make_jsonl_sink(path(), 0);
  sink->interval({.step = 50,
                  .epoch = 2,
                  .seconds = 1.5,
                  .loss = 0.1,
                  .learning_rate = 0.05,
                  .samples_per_second = 1000.25,
                  .step_ms = 10,
                  .data_ms = 1,
                  .forward_ms = 2,
                  .backward_ms = 3,
                  .exposed_communication_ms = 0.5,
                  .optimizer_ms = 0.25,
                  .bytes_sent = std::uint64_t{1} << 60,
                  .skipped_steps = 1,
                  .compression_ratio = 7.5,
                  .saturated_values = 3,
                  .residual_bytes = 4096});
  const auto line = lines().at(0);  // flushed while the sink is open
  EXPECT_EQ(line.size(), 18U);
  EXPECT_EQ(line.at("compression_ratio"), 7.5);
  EXPECT_EQ(line.at("saturated_values"), 3);
  EXPECT_EQ(line.at("residual_bytes"), 4096);
  EXPECT_EQ(line.at("kind"), "train");
  EXPECT_EQ(line.at("step"), 50);
  EXPECT_EQ(line.at("epoch"), 2);
  EXPECT_EQ(line.at("seconds"), 1.5);
  EXPECT_EQ(line.at("loss"), 0.1);
  EXPECT_EQ(line.at("learning_rate"), 0.05);
  EXPECT_EQ(line.at("samples_per_second"), 1000.25);
  EXPECT_EQ(line.at("step_ms"), 10.0);
  EXPECT_EQ(line.at("data_ms"), 1.0);
  EXPECT_EQ(line.at("forward_ms"), 2.0);
  EXPECT_EQ(line.at("backward_ms"), 3.0);
  EXPECT_EQ(line.at("exposed_communication_ms"), 0.5);
  EXPECT_EQ(line.at("optimizer_ms"), 0.25);
  EXPECT_EQ(line.at("bytes_sent"), std::uint64_t{1} << 60);
  EXPECT_EQ(line.at("skipped_steps"), 1);
}

TEST_F(Jsonl, WritesNumbersThatAreNotFiniteAsNull) {
  const auto sink = make_jsonl_sink(path(), 0);
  sink->evaluation({.step = 7,
                    .epoch = 1,
                    .loss = std::numeric_limits<double>::infinity(),
                    .accuracy = std::numeric_limits<double>::quiet_NaN()});
  const auto line = lines().at(0);
  EXPECT_EQ(line.at("kind"), "evaluation");
  EXPECT_EQ(line.at("step"), 7);
  EXPECT_TRUE(line.at("loss").is_null());
  EXPECT_TRUE(line.at("accuracy").is_null());
}

TEST_F(Jsonl, ANewRunStartsEmpty) {
  write_steps({10, 20}, 0);
  write_steps({10}, 0);
  EXPECT_EQ(lines().size(), 1U);
}

TEST_F(Jsonl, AResumeCutsWhatCameAfterTheCheckpoint) {
  write_steps({10, 20, 30, 40}, 0);
  write_steps({30}, 20);
  std::vector<int> steps;
  for (const auto& line : lines()) steps.push_back(line.at("step"));
  EXPECT_EQ(steps, (std::vector<int>{10, 20, 30}));
}

/// A run that is resumed where it ended evaluates the same model again.
TEST_F(Jsonl, AnEvaluationThatIsThereIsNotWrittenAgain) {
  make_jsonl_sink(path(), 0)->evaluation({.step = 20});
  const auto sink = make_jsonl_sink(path(), 20);
  sink->evaluation({.step = 20});
  EXPECT_EQ(lines().size(), 1U);
  sink->evaluation({.step = 30});
  EXPECT_EQ(lines().size(), 2U);
  make_jsonl_sink(path(), 10)->evaluation({.step = 20});
  EXPECT_EQ(lines().size(), 1U) << "cut off, it is written anew";
}

TEST_F(Jsonl, AResumeCutsATornLine) {
  write_steps({10, 20}, 0);
  std::ofstream(path(), std::ios::app) << R"({"kind":"train","step":20,"lo)";
  write_steps({30}, 25);
  EXPECT_EQ(lines().size(), 3U);
}

TEST_F(Jsonl, AWholeLineWithoutItsEndIsTornToo) {
  write_steps({10}, 0);
  std::ofstream(path(), std::ios::app) << R"({"kind":"train","step":20})";
  write_steps({30}, 25);
  EXPECT_EQ(lines().size(), 2U);
}

TEST_F(Jsonl, SaysWhichFileCannotBeWritten) {
  try {
    (void)make_jsonl_sink(folder_ / "nowhere" / "metrics.jsonl", 0);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("nowhere/metrics.jsonl: No such file"),
              std::string::npos);
  }
}

TEST(JsonlFullDisk, IsAnError) {
  const auto sink = make_jsonl_sink("/dev/full", 0);
  try {
    sink->interval({.step = 1});
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "cannot write /dev/full: No space left on device");
  }
}

}  // namespace
}  // namespace convoy::trainer
