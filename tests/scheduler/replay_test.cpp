// SPDX-License-Identifier: Apache-2.0
#include "scheduler/replay.h"

#include <gtest/gtest.h>

#include <sstream>

#include "base/errors.h"
#include "scheduler/simulator.h"
#include "tests/scheduler/actions.h"
#include "tests/scheduler/random_scenarios.h"

namespace convoy::tests {
namespace {

using namespace scheduler;

std::string log_of(const Scenario& scenario) {
  std::string text = to_line(scenario.policy) + "\n";
  simulate(
      scenario, [&](std::string_view line) { text += std::string(line) + "\n"; },
      [&](const Summary& summary) { text += to_json(summary) + "\n"; });
  return text;
}

Replay replay_text(const std::string& text) {
  std::istringstream log(text);
  return replay(log, std::nullopt, "e.jsonl");
}

/// A log of a live run: timers fire a little late, clients come back, leave, and send rubbish.
std::string live_log() {
  PolicyConfig config;
  config.min_local_steps = 20;
  config.max_local_steps = 100;
  config.initial_local_steps = 100;
  config.late_flush_auto = true;
  const auto policy = make_policy(config);
  std::string text = to_line(config) + "\n{\"kind\":\"started\",\"host\":\"a\"}\n";
  EventLog log(*policy, [&](std::string_view line) { text += std::string(line) + "\n"; });
  const auto send = [&](double time, ClientId client, std::int64_t round, std::int64_t steps,
                        bool finite = true) {
    log.handle({.kind = Input::Kind::kArrive,
                .time = time,
                .update = {client, round, steps, finite},
                .duration = 1.0 / 3.0});
  };
  for (const ClientId client : {1, 2, 3}) {
    log.handle({.kind = Input::Kind::kJoin, .time = 0.1, .update = {client}, .samples = 10});
  }
  send(100.0 + 1.0 / 3.0, 1, 0, 100);
  send(100.7, 2, 0, 100);
  send(101.1, 3, 0, 100);
  log.handle({.kind = Input::Kind::kJoin, .time = 150.0, .update = {2}});
  send(200.1, 1, 1, 100);
  send(200.2, 1, 1, 100);
  log.handle({.kind = Input::Kind::kTimer, .time = 220.37});
  log.handle({.kind = Input::Kind::kEvict, .time = 230.0, .update = {3}});
  send(260.5, 2, 1, 50, false);
  send(270.5, 3, 1, 50);
  log.handle({.kind = Input::Kind::kLeave, .time = 271.0, .update = {3}});
  log.handle({.kind = Input::Kind::kTimer, .time = 900.0});
  log.handle({.kind = Input::Kind::kShutdown, .time = 901.0});
  return text;
}

TEST(Replay, OfASimulationDecidesTheSame) {
  for (const Algorithm algorithm :
       {Algorithm::kFedCompass, Algorithm::kFedAvg, Algorithm::kFedAsync, Algorithm::kFedBuff}) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      const Scenario scenario = random_scenario(seed, algorithm);
      const Replay result = replay_text(log_of(scenario));
      EXPECT_EQ(result.difference.value_or(""), "") << to_text(algorithm) << ", seed " << seed;
      EXPECT_GT(result.decisions, 10);
    }
  }
}

TEST(Replay, OfALiveLogDecidesTheSame) {
  const Replay result = replay_text(live_log());
  EXPECT_EQ(result.difference.value_or(""), "");
  EXPECT_EQ(result.inputs, 16);
  EXPECT_GE(result.decisions, 15);
}

TEST(Replay, FiresNoTimersOfItsOwn) {
  // Without its timer lines the log lacks decisions, and the replay must not make them.
  std::string text = live_log();
  const auto timer = text.find("{\"kind\":\"timer\",\"t\":220.37");
  text = text.substr(0, timer);
  EXPECT_FALSE(replay_text(text).difference) << "the group's latest time has passed unseen";
}

TEST(Replay, NamesTheFirstDifference) {
  std::string text = live_log();
  const std::string was = "\"local_steps\":99,\"expected";
  ASSERT_NE(text.find(was), std::string::npos) << text;
  text.replace(text.find(was), was.size(), "\"local_steps\":98,\"expected");
  const Replay result = replay_text(text);
  ASSERT_TRUE(result.difference);
  EXPECT_EQ(result.difference->substr(0, 64),
            "e.jsonl, line 14: local_steps is 98 in the log and 99 in the rep");
}

TEST(Replay, NamesMissingAndSurplusDecisions) {
  const std::string text = live_log();
  const auto cut = [&](const std::string& kind) {
    const auto begin = text.find("{\"kind\":\"" + kind);
    const auto end = text.find('\n', begin);
    return std::pair(begin, end + 1 - begin);
  };
  const auto [late, length] = cut("late");
  std::string missing = text;
  missing.erase(late, length);
  ASSERT_TRUE(replay_text(missing).difference);
  EXPECT_NE(replay_text(missing).difference->find("kind is \"assign\" in the log and \"late\""),
            std::string::npos);
  const auto [refuse, refuse_length] = cut("refuse");
  std::string gone = text;
  gone.erase(refuse, refuse_length);
  EXPECT_NE(replay_text(gone).difference->find("the next input comes where the replay decides"),
            std::string::npos);
  std::string surplus = text;
  surplus.insert(late + length, text.substr(late, length));
  EXPECT_TRUE(replay_text(surplus).difference);
  EXPECT_NE(replay_text(text + "{\"kind\":\"late\",\"t\":902,\"client\":1}\n")
                .difference->find("the replay does not decide"),
            std::string::npos);
  EXPECT_NE(replay_text(text.substr(0, text.find("{\"kind\":\"flush\"")))
                .difference->find("the log ends where the replay decides"),
            std::string::npos);
}

void expect_refused(const std::string& text, const std::string& message) {
  try {
    (void)replay_text(text);
    ADD_FAILURE() << "accepted: " << text;
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.what(), "e.jsonl, line " + message);
  }
}

TEST(Replay, RefusesLogsThatAreNone) {
  const std::string policy = to_line(PolicyConfig{}) + "\n";
  expect_refused("{\"kind\":\"join\",\"t\":0,\"client\":1,\"samples\":1,\"seq\":0}\n",
                 "1: no policy is known: give its scenario too");
  expect_refused(policy + "{\"kind\":\"timer\",\"t\":0,\"seq\":3}\n",
                 "2: input 3 stands where 0 should");
  expect_refused(policy + "[]\n", "2: no event: it has no \"kind\"");
  expect_refused(policy + "{\"kind\":\"join\",\"t\":\"x\",\"seq\":0}\n",
                 "2: type must be number, but is string");
  expect_refused(policy + "{\"kind\":\"join\",\"t\":0,\"client\":1,\"samples\":0,\"seq\":0}\n",
                 "2: samples must be positive");
  EXPECT_THROW((void)replay_text(policy + "{\"kind\""), ConfigError);
}

}  // namespace
}  // namespace convoy::tests
