// SPDX-License-Identifier: Apache-2.0
// A server that is killed again and again in the middle of its work.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "base/random.h"
#include "scheduler/journal/journal.h"
#include "scheduler/journal/payload_store.h"
#include "tests/scheduler/journal/toy_server.h"
#include "tests/temporary_folder.h"

namespace convoy::tests {
namespace {

using namespace scheduler;
using namespace scheduler::journal;
namespace fs = std::filesystem;

/// The lines that one life of crash_server has printed.
struct Life {
  std::vector<std::string> lines;
  bool was_killed = false;
  int code = 0;
};

/// When a life ends.
struct Death {
  bool is_early = false;  ///< perhaps while it reads its log
  int lines = 0;          ///< else after so many lines of new work
  std::chrono::microseconds moment{0};
};

Life live(const std::string& folder, const std::string& mode, const Death& death) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error("pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::execl(CONVOY_CRASH_SERVER, CONVOY_CRASH_SERVER, folder.c_str(), mode.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  Life life;
  std::string text;
  bool is_due = death.is_early;
  bool is_over = false;
  for (;;) {
    if (is_due && !is_over) {
      std::this_thread::sleep_for(death.moment);
      ::kill(child, SIGKILL);
      is_over = true;
    }
    char part[4096];
    const ssize_t got = ::read(ends[0], part, sizeof(part));
    if (got <= 0) break;
    text.append(part, static_cast<std::size_t>(got));
    const auto alive = text.find("alive\n");
    if (alive == std::string::npos) continue;
    const auto begin = text.begin() + static_cast<std::ptrdiff_t>(alive);
    is_due = std::count(begin, text.end(), '\n') > death.lines;
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  life.was_killed = WIFSIGNALED(status);
  life.code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  std::istringstream stream(text.substr(0, text.rfind('\n') + 1));
  for (std::string line; std::getline(stream, line);) life.lines.push_back(line);
  return life;
}

/// What has left the server in all its lives.
struct Effects {
  std::set<std::string> acknowledged;
  std::map<std::size_t, std::string> decisions;
  std::string counts, model;
  int kills = 0;

  void take(const std::string& line) {
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    if (kind == "ack") {
      std::string id;
      words >> id;
      acknowledged.insert(id);
    } else if (kind == "decide") {
      std::size_t number = 0;
      words >> number;
      const auto text = line.substr(line.find(' ', 7) + 1);
      const auto [known, is_new] = decisions.emplace(number, text);
      EXPECT_EQ(known->second, text) << "decided twice, and not the same: input " << number;
    } else if (kind == "counts") {
      counts = line;
    } else if (kind == "model") {
      model = line.substr(6);
    }
  }
};

Effects run_with_kills(const std::string& folder, const std::string& mode, std::uint64_t seed) {
  Random random({seed, 0x6b696c6cULL});
  Effects effects;
  for (int lives = 0; lives < 400; ++lives) {
    const bool is_early = random.below(4) == 0;
    const Life life =
        live(folder, mode,
             {.is_early = is_early,
              .lines = static_cast<int>(random.below(24)),
              .moment = std::chrono::microseconds(random.below(is_early ? 20'000 : 3'000))});
    for (const auto& line : life.lines) effects.take(line);
    if (!life.was_killed) {
      EXPECT_EQ(life.code, 0);
      return effects;
    }
    ++effects.kills;
  }
  ADD_FAILURE() << "it never came to an end";
  return effects;
}

/// The same without log, checkpoints and crashes.
Effects undisturbed() {
  const auto inputs = inputs_of(crash_scenario());
  ToyServer toy(crash_scenario().policy, payload_of);
  Effects effects;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    effects.decisions[i] = toy.handle(inputs[i]);
    if (inputs[i].kind == Input::Kind::kArrive) {
      effects.acknowledged.insert(id_of({inputs[i].update.client, inputs[i].update.round}));
    }
  }
  effects.model = toy.model();
  return effects;
}

void expect_the_same(const Effects& effects, const Effects& expected) {
  EXPECT_GE(effects.kills, 20);
  EXPECT_EQ(effects.acknowledged, expected.acknowledged);
  EXPECT_EQ(effects.decisions, expected.decisions);
  EXPECT_EQ(effects.model, expected.model);
  EXPECT_EQ(effects.counts, "counts 260 260 0");
}

TEST(KilledServer, LosesAndRepeatsNothing) {
  const TemporaryFolder folder;
  const Effects effects = run_with_kills(folder.path(), "keep", 1);
  const Effects expected = undisturbed();
  ASSERT_EQ(expected.acknowledged.size(), 260U);
  expect_the_same(effects, expected);
  // The log alone, and the payloads, from the initial model.
  const PayloadStore store(folder / "spool");
  std::map<std::string, int> logged;
  ToyServer toy(crash_scenario().policy,
                [&](UpdateName name) { return store.read(site_of(name.first), id_of(name)); });
  int starts = 0;
  const auto contents =
      read_log(folder / "log", run_id_in(folder / "run-id"), 0, [&](const LogRecord& record) {
        const Entry entry = decode(record.type, record.payload);
        if (const auto* input = std::get_if<InputEntry>(&entry)) (void)toy.handle(input->input);
        if (const auto* clock = std::get_if<ClockEntry>(&entry)) {
          starts += clock->kind == ClockEntry::Kind::kStart ? 1 : 0;
        }
        const auto* update = std::get_if<UpdateEntry>(&entry);
        if (update == nullptr) return;
        ++logged[update->id];
        const UpdateName name(update->input.update.client, update->input.update.round);
        EXPECT_EQ(store.read(update->site, update->id), payload_of(name));
        EXPECT_EQ(sha256(payload_of(name)), update->sha256);
        (void)toy.handle(update->input);
      });
  EXPECT_FALSE(contents.torn);
  EXPECT_EQ(logged.size(), expected.acknowledged.size());
  for (const auto& id : effects.acknowledged) EXPECT_EQ(logged[id], 1) << id;
  EXPECT_EQ(toy.model(), expected.model);
  EXPECT_GT(starts, 5) << "some lives are too short to start";
}

TEST(KilledServer, GoesOnFromCheckpointsAndForgetsWhatTheyContain) {
  const TemporaryFolder folder;
  const Effects effects = run_with_kills(folder.path(), "forget", 2);
  expect_the_same(effects, undisturbed());
  // How many segments are left depends on the kills since the last checkpoint; the first one is
  // gone with the first checkpoint that a life has survived.
  const fs::path log = folder.path() / "log";
  EXPECT_FALSE(fs::exists(log / "log-00000000000000000000.wal"));
  EXPECT_FALSE(fs::is_empty(log));
  std::size_t payloads = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder / "spool/complete")) {
    payloads += entry.is_regular_file() ? 1 : 0;
  }
  // How many depends on the moments of the kills: those between checkpoint and release leave theirs
  // to clean().
  EXPECT_LT(payloads, effects.acknowledged.size());
}

}  // namespace
}  // namespace convoy::tests
