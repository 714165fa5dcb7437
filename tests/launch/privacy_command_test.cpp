// SPDX-License-Identifier: Apache-2.0
// `convoy privacy` as scripts call it, and [privacy] in a job file.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/launch/child.h"
#include "trainer/privacy/ledger.h"

namespace convoy::tests {
namespace {

namespace privacy = trainer::privacy;

struct Ended {
  int code;
  std::string output;
  std::string errors;
};

Ended convoy(const std::vector<std::string>& arguments) {
  const TemporaryFolder folder;
  Child child(folder, arguments);
  const auto code = child.wait();
  return {code.value_or(-1), child.output(), child.errors()};
}

Ended ask(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "privacy");
  return convoy(arguments);
}

nlohmann::json ask_json(std::vector<std::string> arguments) {
  arguments.push_back("--json");
  const Ended ended = ask(arguments);
  EXPECT_EQ(ended.code, 0) << ended.errors;
  EXPECT_EQ(ended.errors, "");
  return nlohmann::json::parse(ended.output);
}

void expect_refused(const Ended& ended, const std::string& line) {
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(ended.output, "");
  EXPECT_EQ(ended.errors, "convoy: " + line + "\n");
}

/// 157 steps in three rounds.
std::string make_ledger(const TemporaryFolder& folder) {
  const privacy::LedgerOwner owner{.site = "north", .data = "ab12"};
  const auto path = privacy::ledger_path(folder.path(), owner);
  privacy::Ledger ledger(path, owner, {.epsilon = 2.0, .delta = 1e-5});
  for (const int steps : {20, 100, 37}) ledger.spend({0.01, 1.0}, steps, "round", steps != 20);
  return path.string();
}

TEST(PrivacyCommand, SaysWhatStepsCost) {
  const auto answer =
      ask_json({"--q", "0.0025", "--sigma", "1.3", "--steps", "6000", "--delta", "1e-5"});
  EXPECT_NEAR(answer.at("epsilon").get<double>(), 0.724223, 1e-4);
  EXPECT_GT(answer.at("order"), 2);
  EXPECT_EQ(answer.at("steps"), 6000);
  const Ended text = ask({"--sigma", "8", "--steps", "100"});  // q 1, delta 1e-5
  EXPECT_EQ(text.code, 0);
  EXPECT_EQ(text.output.substr(0, 17), "epsilon  6.158978") << text.output;
}

TEST(PrivacyCommand, FindsStepsOrSigmaForABudget) {
  const auto steps = ask_json({"--q", "0.01", "--sigma", "1", "--epsilon", "1.3264"});
  EXPECT_EQ(steps.at("budget"), 1.3264);
  EXPECT_LE(steps.at("epsilon"), 1.3264);
  const auto n = steps.at("steps").get<int>();
  const auto more = ask_json({"--q", "0.01", "--sigma", "1", "--steps", std::to_string(n + 1)});
  EXPECT_GT(more.at("epsilon"), 1.3264);
  const auto sigma = ask_json({"--q", "0.01", "--steps", "10000", "--epsilon", "1.035490"});
  EXPECT_NEAR(sigma.at("sigma").get<double>(), 4.0, 1e-3);
}

TEST(PrivacyCommand, ReadsALedger) {
  const TemporaryFolder folder;
  const std::string path = make_ledger(folder);
  const auto answer = ask_json({"--ledger", path});
  EXPECT_NEAR(answer.at("epsilon").get<double>(), 1.326400, 1e-6);
  EXPECT_EQ(answer.at("site"), "north");
  EXPECT_EQ(answer.at("data"), "ab12");
  EXPECT_EQ(answer.at("steps"), 157);
  EXPECT_EQ(answer.at("records"), 3);
  EXPECT_EQ(answer.at("insecure_steps"), 20);
  EXPECT_EQ(answer.at("budget"), 2.0);
  EXPECT_EQ(answer.at("releases").size(), 1U);
  const Ended text = ask({"--ledger", path});
  EXPECT_NE(text.output.find("epsilon  1.32640"), std::string::npos) << text.output;
  EXPECT_NE(text.output.find("INSECURE: the noise of 20 steps"), std::string::npos);
  // What is left of it.
  const auto rest = ask_json({"--ledger", path, "--q", "0.01", "--sigma", "1", "--epsilon", "2"});
  const auto all = ask_json({"--q", "0.01", "--sigma", "1", "--epsilon", "2"});
  EXPECT_EQ(rest.at("steps").get<int>() + 157, all.at("steps").get<int>());
}

TEST(PrivacyCommand, RefusesWhatItCannotAnswer) {
  const TemporaryFolder folder;
  const std::string two =
      "convoy privacy needs two of --sigma, --steps and --epsilon (the third is the answer), or "
      "--ledger alone";
  expect_refused(ask({}), two);
  expect_refused(ask({"--sigma", "1"}), two);
  expect_refused(ask({"--sigma", "1", "--steps", "3", "--epsilon", "1"}), two);
  for (const std::vector<std::string>& bad :
       {std::vector<std::string>{"--q", "1.5", "--sigma", "1", "--steps", "1"},
        {"--sigma", "0", "--steps", "1"},
        {"--sigma", "nan", "--steps", "1"},
        {"--sigma", "1", "--steps", "1", "--delta", "1"},
        {"--steps", "0", "--epsilon", "1"},
        {"--sigma", "1", "--steps", "1", "--sigam", "1"}}) {
    const Ended ended = ask(bad);
    EXPECT_EQ(ended.code, 2) << bad[1];
    EXPECT_EQ(ended.output, "");
    EXPECT_EQ(std::count(ended.errors.begin(), ended.errors.end(), '\n'), 1) << ended.errors;
  }
  EXPECT_NE(ask({"--steps", "1", "--epsilon", "0.001"}).errors.find("no sigma keeps epsilon"),
            std::string::npos);
  expect_refused(ask({"--ledger", folder / "none"}),
                 "cannot open the ledger " + (folder / "none") + ": No such file or directory");
  const std::string path = make_ledger(folder);
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  EXPECT_EQ(ask({"--ledger", path}).code, 2);
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  std::ofstream(path, std::ios::app) << "x\n";
  expect_refused(ask({"--ledger", path}),
                 path +
                     ":5: the ledger is damaged: this record is not what was written after "
                     "those before it");
  const Ended launched = convoy({"launch", "-n", "2", "--", "privacy", "--ledger", path});
  EXPECT_EQ(launched.code, 2);
}

/// Without data or ranks: what a job file's [privacy] is told.
TEST(PrivacyCommand, AJobFileIsRefusedByKeyAndLine) {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& command, const std::string& section) {
    const std::string job =
        folder.file("job.toml", "[data]\nname = \"synthetic\"\n[train]\nsteps = 3\n" + section);
    const Ended ended = convoy({command, job, "--run-dir", folder / "run"});
    EXPECT_EQ(ended.code, 2) << ended.errors;
    return ended.errors;
  };
  const std::string federation = "[federation]\nupdates = 4\nclock = \"live\"\n";
  const std::string good =
      "[privacy]\nmode = \"per_sample\"\nrate = 0.1\nepsilon = 8\nledger = \"" +
      (folder / "ledgers") + "\"\n";
  EXPECT_NE(refusal("train", good).find("job.toml:6: privacy.mode needs [federation]"),
            std::string::npos);
  EXPECT_NE(refusal("train", federation + good).find("[privacy] is for convoy federate"),
            std::string::npos);
  EXPECT_NE(refusal("federate", federation + good + "sigam = 1\n").find("did you mean \"sigma\""),
            std::string::npos);
  EXPECT_NE(refusal("federate", federation + "[privacy]\nmode = \"per_sample\"\nrate = 0\n")
                .find("job.toml:10: privacy.rate must be in (0, 1]"),
            std::string::npos);
  EXPECT_NE(refusal("federate", "[federation]\nupdates = 4\n" + good)
                .find("federation.clock = \"virtual\" cannot be had with [privacy]"),
            std::string::npos);
  EXPECT_NE(refusal("federate", federation + good + "[model]\nname = \"resnet20\"\n"), "");
}

}  // namespace
}  // namespace convoy::tests
