// SPDX-License-Identifier: Apache-2.0
#include "launch/process/run_directory.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/errors.h"
#include "tests/temporary_folder.h"

namespace convoy::launch {
namespace {

namespace fs = std::filesystem;

/// Runs in an empty folder of its own.
class RunDirectory : public testing::Test {
 protected:
  RunDirectory() { fs::current_path(folder_.path()); }
  ~RunDirectory() override { fs::current_path(before_); }

  static void make_run(const fs::path& folder) {
    fs::create_directories(folder / "checkpoints" / "step-5");
  }

  fs::path before_ = fs::current_path();
  tests::TemporaryFolder folder_;
  trainer::RunConfig run_{.name = "demo"};
};

TEST_F(RunDirectory, DefaultIsNumberedWhereTaken) {
  EXPECT_EQ(fresh_run_dir(run_, ""), "runs/demo");
  fs::create_directories("runs/demo");
  EXPECT_EQ(fresh_run_dir(run_, ""), "runs/demo") << "an empty folder is free";
  make_run("runs/demo");
  make_run("runs/demo-2");
  EXPECT_EQ(fresh_run_dir(run_, ""), "runs/demo-3");
  EXPECT_EQ(newest_run_dir(run_, ""), "runs/demo-2");
}

TEST_F(RunDirectory, NamedByTheUserIsNeverOverwritten) {
  run_.output = "out";
  EXPECT_EQ(fresh_run_dir(run_, ""), "out");
  EXPECT_EQ(fresh_run_dir(run_, "other"), "other");
  make_run("out");
  EXPECT_THROW((void)fresh_run_dir(run_, ""), ConfigError);
  EXPECT_EQ(newest_run_dir(run_, ""), "out");
}

TEST_F(RunDirectory, ResumesARunOrACheckpoint) {
  make_run("out");
  EXPECT_EQ(resume_point("out").run_dir, "out");
  EXPECT_EQ(resume_point("out").checkpoint, "");
  for (const char* given : {"out/checkpoints/step-5", "out/checkpoints/step-5/"}) {
    EXPECT_EQ(resume_point(given).run_dir, folder_.path() / "out") << given;
    EXPECT_EQ(resume_point(given).checkpoint, folder_.path() / "out/checkpoints/step-5") << given;
  }
}

TEST_F(RunDirectory, NothingToResumeIsRefused) {
  fs::create_directories("empty");
  EXPECT_THROW((void)resume_point("empty"), ConfigError);
  EXPECT_THROW((void)resume_point("nowhere"), ConfigError);
  EXPECT_THROW((void)newest_run_dir(run_, ""), ConfigError);
}

TEST(FailedStart, LeavesWhatWasThereBefore) {
  const tests::TemporaryFolder folder;
  const fs::path run = folder.path() / "run";
  const auto start = [&](bool succeeds) {
    const auto before = names_in(run);
    fs::create_directories(run / "log");
    FailedStart failed(run, before);
    std::ofstream(run / "job.toml") << "new";
    if (succeeds) failed.has_started();
  };
  start(false);
  EXPECT_FALSE(fs::exists(run));
  fs::create_directory(run);
  std::ofstream(run / "notes.txt") << "mine";
  start(false);
  EXPECT_EQ(names_in(run), std::set<std::string>{"notes.txt"});
  start(true);
  EXPECT_EQ(names_in(run), (std::set<std::string>{"job.toml", "log", "notes.txt"}));
}

}  // namespace
}  // namespace convoy::launch
