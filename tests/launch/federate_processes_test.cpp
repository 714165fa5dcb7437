// SPDX-License-Identifier: Apache-2.0
// Federations over real processes: clients that are killed or stand still, and Ctrl-C.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/launch/child.h"

namespace convoy::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using std::chrono::seconds;

/// Three clients that make ten to twenty rounds a second, without an end.
constexpr const char* kJob = R"(
[data]
name = "synthetic"
samples = 600
[model]
name = "mlp"
hidden = 16
[train]
batch_size = 8
[federation]
clients = 3
seconds = 1e6
clock = "throttled"
min_local_steps = 5
max_local_steps = 20
mean_step_seconds = 0.005
liveness_timeout = 2.0
[checkpoint]
every_steps = 10
)";

class FederateProcesses : public testing::Test {
 protected:
  /// Nobody may be left, whatever a test does.
  void TearDown() override {
    const auto all_gone = [this] { return find_processes(run_dir_).empty(); };
    EXPECT_TRUE(eventually(all_gone, seconds(10))) << "orphans";
    for (const pid_t pid : find_processes(run_dir_)) ::kill(pid, SIGKILL);
  }

  /// A server and three clients; `sets` are for --set.
  [[nodiscard]] std::vector<std::string> federate(const std::vector<std::string>& sets = {}) const {
    std::vector<std::string> words{"launch",   "-n", "4",         "--",
                                   "federate", job_, "--run-dir", run_dir_};
    for (const auto& set : sets) words.insert(words.end(), {"--set", set});
    return words;
  }

  /// What events.jsonl holds by now, from event `from` on.
  [[nodiscard]] std::vector<Json> events(std::size_t from = 0) const {
    std::vector<Json> found;
    std::ifstream file(fs::path(run_dir_) / "events.jsonl");
    for (std::string line; std::getline(file, line);) {
      const Json event = Json::parse(line, nullptr, false);
      if (event.is_discarded()) break;  // it is being written
      if (from > 0) {
        --from;
      } else {
        found.push_back(event);
      }
    }
    return found;
  }

  [[nodiscard]] std::size_t count(const std::string& kind, int client, std::size_t from = 0) const {
    const auto all = events(from);
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const Json& event) {
      return event.at("kind") == kind && event.value("client", -1) == client;
    }));
  }

  /// Waits until every one of `clients` has reported `more` times after event `from`.
  [[nodiscard]] bool have_reported(const std::vector<int>& clients, std::size_t more,
                                   std::size_t from = 0) const {
    return eventually([&] {
      return std::all_of(clients.begin(), clients.end(),
                         [&](int client) { return count("arrive", client, from) >= more; });
    });
  }

  [[nodiscard]] pid_t process_of(int client) const {
    for (const auto& [rank, pid] : find_ranks(run_dir_)) {
      if (rank == client + 1) return pid;
    }
    return -1;
  }

  [[nodiscard]] Json summary() const {
    return Json::parse(std::ifstream(fs::path(run_dir_) / "summary.json"), nullptr, false);
  }

  [[nodiscard]] static bool says(const Child& child, const std::string& text) {
    return child.errors().find(text) != std::string::npos;
  }

  void expect_replay_decides_the_same() {
    Child replay(folder_, {"simulate", "--replay", (fs::path(run_dir_) / "events.jsonl").string()});
    EXPECT_EQ(replay.wait(), 0) << replay.errors() << replay.output();
  }

  TemporaryFolder folder_;
  std::string job_ = folder_.file("job.toml", kJob);
  std::string run_dir_ = (folder_.path() / "result").string();
};

// mpirun ends the whole job when a process of it dies.
TEST_F(FederateProcesses, AKilledClientEndsTheRunWhichResumes) {
  Child child(folder_, federate());
  ASSERT_TRUE(have_reported({0, 1, 2}, 5)) << child.errors();
  ASSERT_TRUE(eventually([&] { return !fs::is_empty(fs::path(run_dir_) / "checkpoints"); }));
  ::kill(process_of(1), SIGKILL);
  const auto code = child.wait(seconds(15));
  ASSERT_TRUE(code.has_value()) << "it hangs";
  EXPECT_NE(*code, 0);
  EXPECT_TRUE(says(child, "rank 2")) << child.errors();
  ASSERT_TRUE(eventually([this] { return find_processes(run_dir_).empty(); }, seconds(10)));

  Child resumed(folder_, {"launch", "-n", "4", "--", "federate", "--resume", run_dir_, "--set",
                          "federation.updates=80"});
  ASSERT_EQ(resumed.wait(seconds(120)), 0) << resumed.errors();
  EXPECT_GE(summary()["updates"], 80);
  expect_replay_decides_the_same();
}

TEST_F(FederateProcesses, AClientThatStandsStillIsEvictedAndWelcomedBack) {
  Child child(folder_, federate());
  ASSERT_TRUE(have_reported({0, 1, 2}, 5)) << child.errors();
  ::kill(process_of(1), SIGSTOP);
  ASSERT_TRUE(eventually([this] { return count("evict", 1) >= 1; })) << child.errors();
  // mpirun passes errors on when it gets to it.
  EXPECT_TRUE(eventually([&] { return says(child, "client 1 has given no sign of life for"); }))
      << child.errors();
  const std::size_t evicted = events().size();
  EXPECT_TRUE(have_reported({0, 2}, 10, evicted)) << "the others go on";
  EXPECT_EQ(count("arrive", 1, evicted), 0U);

  ::kill(process_of(1), SIGCONT);
  EXPECT_TRUE(have_reported({1}, 3, evicted)) << "its update is welcome";
  const auto after = events(evicted);
  const auto late = std::find_if(after.begin(), after.end(), [](const Json& event) {
    return event.at("kind") == "late" && event.at("client") == 1;
  });
  ASSERT_NE(late, after.end());
  const auto answer = std::find_if(late, after.end(), [](const Json& event) {
    return event.at("kind") == "assign" && event.at("client") == 1;
  });
  ASSERT_NE(answer, after.end());
  EXPECT_EQ(answer->at("local_steps"), 5) << "it is a slow client now";

  child.signal(SIGINT);
  ASSERT_EQ(child.wait(), 0) << child.errors();
  const Json schedule = summary().at("schedule");
  EXPECT_GE(schedule.at("evicted"), 1);
  EXPECT_EQ(schedule.at("refused"), 0);
  expect_replay_decides_the_same();
}

TEST_F(FederateProcesses, EndsWithoutAClientThatStandsStill) {
  Child child(folder_, federate({"federation.updates=100"}));
  ASSERT_TRUE(have_reported({0, 1, 2}, 3)) << child.errors();
  ::kill(process_of(2), SIGSTOP);
  ASSERT_EQ(child.wait(seconds(60)), 0) << child.errors();
  EXPECT_EQ(summary()["updates"], 100);
  EXPECT_EQ(count("evict", 2), 1U) << "the run lasts longer than liveness_timeout";
  EXPECT_TRUE(says(child, "the run has ended without client 2")) << child.errors();
}

/// With every checkpoint the clients are asked what compression owes them.
TEST_F(FederateProcesses, ACheckpointDoesNotWaitForAClientThatStandsStill) {
  const std::vector<std::string> compressed{"compression.family=top_k", "compression.min_numel=1",
                                            "checkpoint.every_steps=1"};
  auto sets = compressed;
  sets.emplace_back("federation.updates=150");
  Child child(folder_, federate(sets));
  ASSERT_TRUE(have_reported({0, 1, 2}, 3)) << child.errors();
  const std::size_t stopped = events().size();
  ::kill(process_of(2), SIGSTOP);
  const auto alone = [&] {
    return count("evict", 2, stopped) == 0 && count("arrive", 0, stopped) >= 3;
  };
  EXPECT_TRUE(eventually(alone, seconds(10))) << "answers wait for the checkpoint";
  ASSERT_EQ(child.wait(seconds(60)), 0) << child.errors();
  EXPECT_EQ(summary()["updates"], 150);
  EXPECT_EQ(count("evict", 2), 1U) << "the run lasts longer than liveness_timeout";

  Child resumed(folder_, {"launch", "-n", "4", "--", "federate", "--resume", run_dir_, "--set",
                          "federation.updates=180"});
  ASSERT_EQ(resumed.wait(seconds(60)), 0) << resumed.errors();
  EXPECT_EQ(summary()["updates"], 180);
  EXPECT_GT(count("arrive", 2, stopped), 0U) << "it is there again";
  expect_replay_decides_the_same();
}

/// Its clients were not silent: it was deaf.
TEST_F(FederateProcesses, AServerThatStoodStillEvictsNobody) {
  Child child(folder_, federate());
  ASSERT_TRUE(have_reported({0, 1, 2}, 3)) << child.errors();
  const pid_t server = process_of(-1);
  ::kill(server, SIGSTOP);
  std::this_thread::sleep_for(seconds(4));  // twice liveness_timeout
  const std::size_t before = events().size();
  ::kill(server, SIGCONT);
  EXPECT_TRUE(have_reported({0, 1, 2}, 5, before)) << child.errors();
  for (const int client : {0, 1, 2}) EXPECT_EQ(count("evict", client), 0U) << client;
  child.signal(SIGINT);
  ASSERT_EQ(child.wait(), 0) << child.errors();
}

TEST_F(FederateProcesses, TheVirtualClockCannotGoOnWithoutAClient) {
  Child child(folder_, federate({"federation.clock=virtual"}));
  ASSERT_TRUE(have_reported({0, 1, 2}, 3)) << child.errors();
  ::kill(process_of(0), SIGSTOP);
  ASSERT_EQ(child.wait(seconds(60)), 1) << child.errors();
  EXPECT_TRUE(says(child, "client 0 has given no sign of life")) << child.errors();
}

/// Rounds that would last for days are left at the next step.
TEST_F(FederateProcesses, CtrlCDoesNotWaitForRoundsUnderWay) {
  for (const std::string clock : {"live", "virtual"}) {
    run_dir_ = (folder_.path() / clock).string();
    Child child(folder_,
                federate({"federation.clock=" + clock, "federation.min_local_steps=100000000",
                          "federation.max_local_steps=100000000"}));
    const auto has_started = [&] { return events().size() >= 4; };
    ASSERT_TRUE(eventually(has_started)) << child.errors();
    const auto before = std::chrono::steady_clock::now();
    child.signal(SIGINT);
    ASSERT_EQ(child.wait(seconds(20)), 0) << clock << child.errors();
    EXPECT_LT(std::chrono::steady_clock::now() - before, seconds(10)) << clock;
    EXPECT_EQ(summary()["interrupted"], true);
    EXPECT_FALSE(fs::is_empty(fs::path(run_dir_) / "checkpoints"));
  }
}

}  // namespace
}  // namespace convoy::tests
