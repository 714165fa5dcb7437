// SPDX-License-Identifier: Apache-2.0
// `convoy plan` as scripts call it.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/launch/child.h"

namespace convoy::tests {
namespace {

const std::string kCases = CONVOY_TEST_DATA "/plan/";

struct Ended {
  int code;
  std::string output;
  std::string errors;
};

Ended plan(std::vector<std::string> arguments) {
  const TemporaryFolder folder;
  arguments.insert(arguments.begin(), "plan");
  Child child(folder, arguments);
  const auto code = child.wait();
  return {code.value_or(-1), child.output(), child.errors()};
}

nlohmann::json plan_json(std::vector<std::string> arguments) {
  arguments.push_back("--json");
  const Ended ended = plan(arguments);
  EXPECT_EQ(ended.code, 0) << ended.errors;
  EXPECT_EQ(ended.errors, "");
  return nlohmann::json::parse(ended.output);
}

void expect_refused(const Ended& ended, const std::string& line) {
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(ended.output, "");
  EXPECT_EQ(ended.errors, "convoy: " + line + "\n");
}

TEST(PlanCommand, PrintsOneJsonDocument) {
  const auto answer = plan_json({kCases + "two_layers.json"});
  EXPECT_EQ(answer.at("plan"),
            nlohmann::json::parse(R"([{"name": "a", "level": 2}, {"name": "b", "level": 2}])"));
  EXPECT_EQ(answer.at("bytes"), 50);
  EXPECT_EQ(answer.at("error"), 7.0);
  EXPECT_EQ(answer.at("max_error"), 7.0);
  EXPECT_NEAR(answer.at("lower_bound_bytes").get<double>(), 130.0 / 3.0, 1e-9);
  EXPECT_EQ(answer.at("optimal"), true);
  EXPECT_EQ(answer.at("gap"), 0.0);
}

TEST(PlanCommand, ComparesWithTheUniformPlan) {
  const auto answer = plan_json({kCases + "resnet18_power_sgd.json"});
  EXPECT_EQ(answer.at("bytes"), 301560);
  EXPECT_EQ(answer.at("plan").size(), 21U);
  EXPECT_NEAR(answer.at("ratio").get<double>(), answer.at("uniform_bytes").get<double>() / 301560.0,
              1e-12);
  EXPECT_GT(answer.at("ratio"), 1.0);
}

TEST(PlanCommand, TellsPeopleTheTotals) {
  const Ended ended = plan({kCases + "two_layers.json"});
  EXPECT_EQ(ended.code, 0) << ended.errors;
  EXPECT_NE(ended.output.find("2 layers, 50 bytes, error 7 of 7 allowed\noptimal: "),
            std::string::npos)
      << ended.output;
}

TEST(PlanCommand, AlphaAndMetricChangeTheBudget) {
  const std::string table = kCases + "resnet18_top_k.json";
  const auto usual = plan_json({table});
  const auto loose = plan_json({table, "--alpha", "1.2"});
  EXPECT_DOUBLE_EQ(loose.at("max_error"), 1.2 * usual.at("max_error").get<double>());
  EXPECT_LT(loose.at("bytes"), usual.at("bytes"));
  const auto norms = plan_json({table, "--metric", "l2"});
  EXPECT_LT(norms.at("max_error"), usual.at("max_error"));
  EXPECT_NE(norms.at("hash"), usual.at("hash"));
}

TEST(PlanCommand, ReadsStandardInput) {
  const TemporaryFolder folder;
  const std::string command = "'" CONVOY_PROGRAM "' plan - --json < '" + kCases +
                              "two_layers.json' > '" + folder.path().string() + "/out'";
  ASSERT_EQ(std::system(command.c_str()), 0);
  std::ifstream out(folder.path() / "out");
  EXPECT_EQ(nlohmann::json::parse(out).at("bytes"), 50);
}

TEST(PlanCommand, RefusesWhatItCannotDo) {
  const TemporaryFolder folder;
  const std::string levels = R"([{"level": "dense", "bytes": 4, "error": 0.5}])";
  const auto table = [&](const std::string& budget) {
    return folder.file("t.json", R"({"layers": [{"name": "a", "levels": )" + levels +
                                     R"(}], "budget": )" + budget + "}");
  };
  expect_refused(plan({table(R"({"max_error": 0.25})")}),
                 "no plan is within the budget: the smallest possible error is 0.5, and max_error "
                 "0.25 is 0.25 too small; raise alpha or max_error, or add finer levels");
  const std::string name = table(R"({"max_eror": 1})");
  expect_refused(plan({name}),
                 name + ": budget: unknown key \"max_eror\"; did you mean \"max_error\"?");
  const std::string absolute = table(R"({"max_error": 1})");
  expect_refused(
      plan({absolute, "--alpha", "2"}),
      "--alpha needs a budget with reference_level, and that of " + absolute + " is max_error");
  expect_refused(plan({"nowhere.json"}), "cannot open nowhere.json: No such file or directory");
  EXPECT_EQ(plan({absolute, "--metric", "l1"}).code, 2);
  Child launched(folder, {"launch", "-n", "2", "--", "plan", absolute});
  EXPECT_EQ(launched.wait(), 2);
  EXPECT_EQ(launched.errors(),
            "convoy: convoy plan runs in one process: call it without convoy launch\n");
}

}  // namespace
}  // namespace convoy::tests
