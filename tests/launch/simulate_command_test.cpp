// SPDX-License-Identifier: Apache-2.0
// `convoy simulate` as scripts call it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/launch/child.h"

namespace convoy::tests {
namespace {

using Json = nlohmann::json;

const std::string kCase = CONVOY_TEST_DATA "/fedcompass/14_slow5x_forever.json";

struct Ended {
  int code;
  std::string output;
  std::string errors;
};

Ended simulate(const TemporaryFolder& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "simulate");
  Child child(folder, arguments);
  const auto code = child.wait();
  return {code.value_or(-1), child.output(), child.errors()};
}

std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line));
  return lines;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(SimulateCommand, PrintsEventsAndEndsWithTheFlush) {
  const TemporaryFolder folder;
  const Ended ended = simulate(folder, {kCase});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.errors, "");
  const auto lines = lines_of(ended.output);
  ASSERT_GT(lines.size(), 100U);
  EXPECT_EQ(lines.back().at("kind"), "flush");
  EXPECT_EQ(lines.at(lines.size() - 3).at("kind"), "summary");
  EXPECT_EQ(lines.at(lines.size() - 3).at("received"), 50);
  EXPECT_EQ(simulate(folder, {kCase, "--events", "-", "--json"}).output, ended.output);
}

TEST(SimulateCommand, WritesEventsIntoAFileAndPrintsTheSummary) {
  const TemporaryFolder folder;
  const std::string events = (folder.path() / "events.jsonl").string();
  const Ended text = simulate(folder, {kCase, "--events", events});
  EXPECT_EQ(text.code, 0);
  EXPECT_NE(text.output.find("updates: 50 received = "), std::string::npos) << text.output;
  EXPECT_EQ(text_of(events), simulate(folder, {kCase}).output);
  const Ended json = simulate(folder, {kCase, "--events", events, "--json"});
  EXPECT_EQ(Json::parse(json.output).at("kind"), "summary");
}

TEST(SimulateCommand, ReadsStandardInput) {
  const TemporaryFolder folder;
  const std::string out = (folder.path() / "out").string();
  const std::string command = "'" CONVOY_PROGRAM "' simulate - < '" + kCase + "' > '" + out + "'";
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(text_of(out), simulate(folder, {kCase}).output);
}

TEST(SimulateCommand, ReplaysAndFindsTheFirstDifference) {
  const TemporaryFolder folder;
  const std::string log = simulate(folder, {kCase}).output;
  const std::string good = folder.file("good.jsonl", log);
  Ended ended = simulate(folder, {kCase, "--replay", good});
  EXPECT_EQ(ended.code, 0) << ended.errors;
  EXPECT_EQ(ended.output, "56 inputs, 72 decisions: the same\n");
  std::string other = log;
  const std::string was = R"("local_steps":44,"expected)";
  ASSERT_NE(other.find(was), std::string::npos);
  other.replace(other.find(was), was.size(), R"("local_steps":45,"expected)");
  const std::string bad = folder.file("bad.jsonl", other);
  ended = simulate(folder, {kCase, "--replay", bad});
  EXPECT_EQ(ended.code, 1);
  EXPECT_NE(ended.output.find("local_steps is 45 in the log and 44 in the replay"),
            std::string::npos)
      << ended.output;
  const Json json = Json::parse(simulate(folder, {kCase, "--replay", bad, "--json"}).output);
  EXPECT_EQ(json.at("same"), false);
  ended = simulate(folder, {"--replay", good});
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(ended.errors,
            "convoy: " + good + ", line 1: no policy is known: give its scenario too\n");
}

TEST(SimulateCommand, RefusesWhatItCannotDo) {
  const TemporaryFolder folder;
  const auto expect_refused = [&](const std::vector<std::string>& arguments,
                                  const std::string& line) {
    const Ended ended = simulate(folder, arguments);
    EXPECT_EQ(ended.code, 2);
    EXPECT_EQ(ended.output, "");
    EXPECT_EQ(ended.errors, "convoy: " + line + "\n");
  };
  const std::string name = folder.file("s.json", R"({"policy": {"min_steps": 1}})");
  expect_refused({name},
                 name + R"(: policy: unknown key "min_steps"; did you mean "min_updates"?)");
  expect_refused({"nowhere.json"}, "cannot open nowhere.json: No such file or directory");
  expect_refused({kCase, "--events", "nowhere/e"},
                 "cannot write nowhere/e: No such file or directory");
  expect_refused({kCase, "--replay", "nowhere.jsonl"},
                 "cannot open nowhere.jsonl: No such file or directory");
  expect_refused({},
                 "convoy simulate needs SCENARIO.json or --replay (see convoy simulate --help)");
  EXPECT_EQ(simulate(folder, {kCase, "--events", "/dev/full"}).code, 1);
}

TEST(SimulateCommand, FailsWhenItsSummaryCannotBePrinted) {
  const TemporaryFolder folder;
  const std::string events = (folder.path() / "events.jsonl").string();
  const std::string errors = (folder.path() / "errors").string();
  const std::string command = "'" CONVOY_PROGRAM "' simulate '" + kCase + "' --events '" + events +
                              "' > /dev/full 2> '" + errors + "'";
  EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 1);
  EXPECT_EQ(text_of(errors), "convoy: cannot write all of standard output\n");
}

}  // namespace
}  // namespace convoy::tests
