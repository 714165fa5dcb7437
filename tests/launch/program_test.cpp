// SPDX-License-Identifier: Apache-2.0
// The real program: its exit codes, and one clear line for each kind of bad input.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "tests/launch/child.h"

namespace convoy::tests {
namespace {

struct Ended {
  int code;
  std::string output;
  std::string errors;
};

Ended run(const TemporaryFolder& folder, const std::vector<std::string>& arguments,
          const std::vector<std::string>& environment = {}) {
  Child child(folder, arguments, environment);
  const auto code = child.wait();
  return {code.value_or(-1), child.output(), child.errors()};
}

/// Exit code 2 and nothing but this line.
void expect_refused(const Ended& ended, const std::string& line) {
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(ended.output, "");
  EXPECT_EQ(ended.errors, "convoy: " + line + "\n");
}

TEST(Program, HelpAndVersionSucceed) {
  const TemporaryFolder folder;
  const Ended help = run(folder, {"--help"});
  EXPECT_EQ(help.code, 0);
  for (const char* command : {"launch", "train", "evaluate", "plan", "info"}) {
    EXPECT_NE(help.output.find(command), std::string::npos) << command;
  }
  const Ended own = run(folder, {"train", "--help"});
  EXPECT_EQ(own.code, 0) << own.errors;
  EXPECT_NE(own.output.find("--resume"), std::string::npos) << own.output;
  EXPECT_EQ(run(folder, {"--version"}).output.rfind("convoy ", 0), 0U);
}

TEST(Program, FederationGoesOnWhereItStopped) {
  const TemporaryFolder folder;
  const std::string run_dir = (folder.path() / "run").string();
  const std::string job = (folder.path() / "job.toml").string();
  write_file_atomic(job, R"(
[data]
name = "synthetic"
samples = 600
[model]
name = "mlp"
[train]
batch_size = 8
[federation]
clients = 3
updates = 6
min_local_steps = 2
max_local_steps = 5
)");
  const Ended begun = run(folder, {"federate", job, "--run-dir", run_dir});
  ASSERT_EQ(begun.code, 0) << begun.errors;
  const Ended more =
      run(folder, {"federate", "--resume", run_dir, "--set", "federation.updates=12", "--json"});
  ASSERT_EQ(more.code, 0) << more.errors;
  EXPECT_EQ(nlohmann::json::parse(more.output).at("updates"), 12);
  const Ended replayed = run(folder, {"simulate", "--replay", run_dir + "/events.jsonl"});
  EXPECT_EQ(replayed.code, 0) << replayed.errors;
  std::filesystem::remove_all(folder.path() / "run" / "checkpoints");
  EXPECT_EQ(run(folder, {"federate", "--resume", run_dir}).code, 2);
}

TEST(Program, WrongUsageExitsTwo) {
  const TemporaryFolder folder;
  expect_refused(run(folder, {}), "A subcommand is required (see convoy --help)");
  expect_refused(
      run(folder, {"frobnicate"}),
      "unknown subcommand \"frobnicate\"; this version has launch, train, federate, "
      "serve, join, status, operate, evaluate, plan, simulate, privacy, bench, certs, audit, info");
  expect_refused(run(folder, {"train"}), "train needs a job file (see convoy train --help)");
  expect_refused(run(folder, {"train", "nowhere.toml"}),
                 "cannot open nowhere.toml: No such file or directory");
  expect_refused(run(folder, {"train", "--resume", "nowhere"}),
                 "nothing to resume: no folder nowhere");
  expect_refused(run(folder, {"evaluate", "nowhere"}),
                 "no job: job.toml does not exist; name one with --job");
  EXPECT_EQ(run(folder, {"trian"}).code, 2);
  expect_refused(run(folder, {"join", "--servr", "hub:1", "--site", "a"}),
                 "convoy join knows no --servr; did you mean --server? (see convoy join --help)");
  expect_refused(run(folder, {"join", "--servr=hub:1", "--server", "hub:1"}),
                 "convoy join knows no --servr; did you mean --server? (see convoy join --help)");
  expect_refused(run(folder, {"certs", "shw", "x"}),
                 "convoy certs knows no shw; did you mean show? It has init, request, sign, "
                 "revoke, show (see convoy certs --help)");
  EXPECT_EQ(run(folder, {"launch", "-n", "0", "--", "info"}).code, 2);
}

TEST(Program, BadJobIsRefusedInOneLine) {
  const TemporaryFolder folder;
  const std::string job = folder.file("job.toml", "[train]\nsteps = 1\nbatch_sise = 3\n");
  const std::string line =
      job + ":3: unknown key \"batch_sise\" in [train]; did you mean \"batch_size\"?";
  expect_refused(run(folder, {"train", job}), line);
  expect_refused(run(folder, {"launch", "-n", "2", "--", "train", job}), line);
}

TEST(Program, SetErrorsNameTheSet) {
  const TemporaryFolder folder;
  const std::string job = folder.file("job.toml", "[train]\nsteps = 1\n");
  expect_refused(run(folder, {"train", "--set", "train.batch_size=0", job}),
                 "--set train.batch_size=0: train.batch_size must be at least 1, not 0");
}

TEST(Program, LocalBackendIsRefusedOnSeveralProcesses) {
  const TemporaryFolder folder;
  const std::string job =
      folder.file("job.toml", "[train]\nsteps = 1\n[communication]\nbackend = \"local\"\n");
  expect_refused(run(folder, {"launch", "-n", "2", "--", "train", job}),
                 "communication.backend = \"local\" runs in one process, and here are 2; use "
                 "\"auto\" or \"mpi\"");
}

TEST(Program, NcclNamesWhatIsMissing) {
  const TemporaryFolder folder;
  const std::string job = folder.file(
      "job.toml",
      "[data]\nname = \"synthetic\"\nsamples = 40\n[model]\nname = \"mlp\"\n[train]\nsteps = 1\n"
      "[communication]\nbackend = \"nccl\"\n");
  const std::string dir = (folder.path() / "run").string();
  const Ended ended = run(folder, {"train", job, "--run-dir", dir});
  if (ended.code == 0) GTEST_SKIP() << "GPUs can be used here";
  EXPECT_EQ(ended.code, 2);
  EXPECT_TRUE(ended.errors.starts_with("convoy: communication.backend = \"nccl\"")) << ended.errors;
  EXPECT_TRUE(ended.errors.find("built without NCCL") != std::string::npos ||
              ended.errors.find("needs MPI beside it") != std::string::npos ||
              ended.errors.find(" on rank 0 cannot be used here: ") != std::string::npos)
      << ended.errors;
  EXPECT_EQ(std::ranges::count(ended.errors, '\n'), 1) << ended.errors;
  EXPECT_FALSE(std::filesystem::exists(dir));
}

// Over MPI without a launcher: one rank.
TEST(Program, ARankWithoutAGpuSaysWhatIsMissingUnlessItMayTrainOnItsCpu) {
  const TemporaryFolder folder;
  const std::string job = folder.file(
      "job.toml",
      "[data]\nname = \"synthetic\"\nsamples = 40\n[model]\nname = \"mlp\"\n[train]\nsteps = 2\n");
  const auto train = [&](const std::string& device) {
    return run(folder, {"train", job, "--run-dir", (folder.path() / device).string(), "--set",
                        "run.device=" + device, "--json"});
  };
  const Ended cuda = train("cuda");
  if (cuda.code == 0) GTEST_SKIP() << "GPUs can be used here";
  EXPECT_EQ(cuda.code, 2);
  EXPECT_TRUE(cuda.errors.starts_with("convoy: run.device = \"cuda\"")) << cuda.errors;
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "cuda"));
  if (cuda.errors.find("needs MPI") != std::string::npos) GTEST_SKIP() << "built without MPI";
  EXPECT_NE(cuda.errors.find(" on rank 0 cannot be used here: driver: "), std::string::npos)
      << cuda.errors;
  const Ended mixed = train("mixed");
  ASSERT_EQ(mixed.code, 0) << mixed.errors;
  const auto hash = [](const Ended& ended) {
    return nlohmann::json::parse(ended.output).at("parameters_hash");
  };
  EXPECT_EQ(hash(mixed), hash(train("cpu")));
}

TEST(Program, TakenRunDirIsRefused) {
  const TemporaryFolder folder;
  const std::string job = folder.file("job.toml", "[train]\nsteps = 1\n");
  const std::string dir = folder.path().string();
  expect_refused(
      run(folder, {"launch", "-n", "2", "--", "train", job, "--run-dir", dir}),
      dir + " holds a run already: go on with --resume " + dir + ", or name another --run-dir");
}

TEST(Program, RefusedRunsLeaveTheRunDirectoryAsItWas) {
  const TemporaryFolder folder;
  const std::string job = folder.file(
      "job.toml",
      "[data]\nname = \"synthetic\"\nsamples = 40\n[model]\nname = \"mlp\"\n[train]\nsteps = 1\n");
  const std::string dir = (folder.path() / "run").string();
  const Ended misfit = run(folder, {"train", job, "--run-dir", dir, "--set", "model.name=cnn"});
  EXPECT_EQ(misfit.code, 2) << misfit.errors;
  const Ended fresh = run(folder, {"train", job, "--run-dir", dir});
  EXPECT_EQ(fresh.code, 0) << fresh.errors;
  EXPECT_EQ(run(folder, {"train", "--resume", dir, "--set", "model.hidden=8"}).code, 2);
  const Ended resumed = run(folder, {"train", "--resume", dir});
  EXPECT_EQ(resumed.code, 0) << resumed.errors;
}

TEST(Program, RunDirThatCannotBeIsRefused) {
  const TemporaryFolder folder;
  const std::string job = folder.file("job.toml",
                                      "[data]\nname = \"synthetic\"\n[model]\nname = \"mlp\"\n"
                                      "[train]\nsteps = 1\n[communication]\nbackend = \"local\"\n");
  const std::string file = folder.file("file", "");
  expect_refused(run(folder, {"train", job, "--run-dir", file + "/run"}),
                 "cannot create the run directory " + file + "/run: Not a directory");
}

TEST(Program, LaunchSaysWhatToInstall) {
  const TemporaryFolder folder;
  expect_refused(run(folder, {"launch", "-n", "2", "--", "info"}, {"PATH=/nowhere"}),
                 "mpirun is not on the PATH: apt-get install openmpi-bin");
}

// Some service managers and shells start programs so; the kernel then reaps mpirun unseen.
TEST(Program, LaunchEndsUnderAParentThatIgnoresItsChildren) {
  const TemporaryFolder folder;
  const auto before = std::signal(SIGCHLD, SIG_IGN);  // the child takes it over
  Child refused(folder, {"launch", "-n", "1", "--", "frobnicate"});
  Child child(folder, {"launch", "-n", "1", "--", "info", "--json"});
  std::signal(SIGCHLD, before);
  EXPECT_EQ(child.wait(std::chrono::seconds(20)), 0) << child.errors();
  EXPECT_EQ(refused.wait(std::chrono::seconds(20)), 2) << refused.errors();
}

TEST(Program, InfoIsOneJsonDocument) {
  const TemporaryFolder folder;
  const Ended ended = run(folder, {"info", "--json"});
  ASSERT_EQ(ended.code, 0) << ended.errors;
  const auto info = nlohmann::json::parse(ended.output);
  EXPECT_EQ(info["ranks"], 1);
  EXPECT_EQ(info["threads"], 1);
  EXPECT_GT(info["gemm"]["gflops"].get<double>(), 0.0);
  for (const auto& backend : info["backends"]) {
    if (backend["usable"] == false) {
      EXPECT_NE(backend["missing"], "") << backend;
    }
  }
}

TEST(Program, LaunchedInfoCountsRanks) {
  const TemporaryFolder folder;
  const Ended ended = run(folder, {"launch", "-n", "2", "--", "info", "--json"});
  ASSERT_EQ(ended.code, 0) << ended.errors;
  const auto info = nlohmann::json::parse(ended.output);
  EXPECT_EQ(info["ranks"], 2);
  EXPECT_EQ(info["hosts"].size(), 2U);
}

}  // namespace
}  // namespace convoy::tests
