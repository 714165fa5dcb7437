// SPDX-License-Identifier: Apache-2.0
#include "compress/plan/table_file.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/errors.h"

namespace convoy::tests {
namespace {

using compress::ErrorMetric;
using compress::Level;
using compress::parse_table;

const std::string kBudget = R"("budget": {"max_error": 7})";

std::string layer(const std::string& levels) {
  return R"({"name": "a", "levels": [)" + levels + "]}";
}

std::string file(const std::string& layers, const std::string& budget = kBudget) {
  return "{" + budget + R"(, "layers": [)" + layers + "]}";
}

const std::string kLevel = R"({"level": 4, "bytes": 10.5, "error": 2})";
const std::string kLayer = layer(kLevel);

/// One line that starts with the file's name.
void expect_refused(const std::string& text, const std::string& message) {
  try {
    (void)parse_table(text, "t.json");
    ADD_FAILURE() << "accepted: " << text;
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.what(), "t.json" + message);
  }
}

TEST(TableFile, ReadsLevelsAndDense) {
  const auto read = parse_table(
      file(R"({"name": "a", "numel": 3, "levels": [{"level": 0.01, "bytes": 10.5, "error": 1e-3},
                                                   {"level": "dense", "bytes": 12, "error": 0}]})"),
      "t.json");
  ASSERT_EQ(read.table.size(), 1U);
  EXPECT_EQ(read.table[0].name, "a");
  EXPECT_EQ(read.table[0].numel, 3);
  ASSERT_EQ(read.table[0].levels.size(), 2U);
  EXPECT_EQ(read.table[0].levels[0].level, Level(0.01));
  EXPECT_EQ(read.table[0].levels[0].bytes, 10.5);
  EXPECT_EQ(read.table[0].levels[0].error, 1e-3);
  EXPECT_TRUE(read.table[0].levels[1].level.is_dense());
}

TEST(TableFile, ReadsBothKindsOfBudget) {
  EXPECT_EQ(compress::max_error(parse_table(file(kLayer), "t.json")), 7.0);
  const auto relative = parse_table(
      file(kLayer, R"("budget": {"reference_level": 4, "alpha": 1.5, "metric": "l2"})"), "t.json");
  EXPECT_EQ(relative.budget.reference, Level(4));
  EXPECT_EQ(relative.budget.metric, ErrorMetric::kL2);
  EXPECT_EQ(compress::max_error(relative), 1.5 * std::sqrt(2.0));
  const auto dense =
      parse_table(file(kLayer, R"("budget": {"reference_level": "dense"})"), "t.json");
  EXPECT_TRUE(dense.budget.reference.is_dense());
  EXPECT_EQ(dense.budget.alpha, 1.0);
}

TEST(TableFile, RefusesWhatIsNoJson) {
  expect_refused("{",
                 ": no JSON: parse error at line 1, column 2: syntax error while parsing "
                 "object key - unexpected end of input; expected string literal");
  expect_refused("[]", ": must be an object, not array");
  EXPECT_THROW(
      (void)parse_table(file(layer(R"({"level": 4, "bytes": NaN, "error": 1})")), "t.json"),
      ConfigError);
  EXPECT_THROW(
      (void)parse_table(file(layer(R"({"level": 4, "bytes": 1e999, "error": 1})")), "t.json"),
      ConfigError);
}

TEST(TableFile, NamesUnknownAndMissingKeys) {
  expect_refused(R"({"layers": [], "budjet": {}})",
                 ": unknown key \"budjet\"; did you mean \"budget\"?");
  expect_refused("{" + kBudget + "}", ": key \"layers\" is missing");
  expect_refused(R"({"layers": [)" + kLayer + "]}", ": key \"budget\" is missing");
  expect_refused(file(R"({"levels": []})"), ": layers[0]: key \"name\" is missing");
  expect_refused(file(R"({"name": "a"})"), ": layer \"a\": key \"levels\" is missing");
  expect_refused(file(layer(R"({"level": 4, "bytes": 10})")),
                 ": layer \"a\", levels[0]: key \"error\" is missing");
  expect_refused(file(layer(R"({"level": 4, "bytes": 10, "err": 0})")),
                 ": layer \"a\", levels[0]: unknown key \"err\"; did you mean \"error\"?");
}

TEST(TableFile, NamesWrongTypesAndNumbers) {
  const auto level = [](const std::string& text) { return file(layer(kLevel + ", " + text)); };
  const std::string where = ": layer \"a\", levels[1]: ";
  expect_refused(level(R"({"level": "4", "bytes": 1, "error": 1})"),
                 where + "level must be a number or \"dense\", not \"4\"");
  expect_refused(level(R"({"level": 0, "bytes": 1, "error": 1})"),
                 where + "level must be positive, not 0");
  expect_refused(level(R"({"level": 1, "bytes": -1, "error": 1})"),
                 where + "bytes must be at least 0, not -1");
  expect_refused(level(R"({"level": 1, "bytes": 1, "error": null})"),
                 where + "error must be a number, not null");
  expect_refused(level("7"), where + "must be an object, not number");
  expect_refused(file(layer("")), ": layer \"a\": levels is empty");
  expect_refused(file(""), ": layers is empty");
  expect_refused(file(R"({"name": 3, "levels": []})"), ": layers[0]: name must be a string, not 3");
  expect_refused(file(R"({"name": "a", "numel": 1.5, "levels": []})"),
                 ": layer \"a\": numel must be an integer, not 1.5");
}

TEST(TableFile, RefusesTheSameNameOrLevelTwice) {
  expect_refused(file(kLayer + ", " + kLayer), ": two layers are called \"a\"");
  expect_refused(file(layer(kLevel + ", " + kLevel)), ": layer \"a\": level 4 stands there twice");
}

TEST(TableFile, RefusesBudgetsThatAreNone) {
  const auto budget = [](const std::string& text) { return file(kLayer, "\"budget\": " + text); };
  expect_refused(budget("{}"), ": budget: needs either max_error or reference_level");
  expect_refused(budget(R"({"max_error": 1, "reference_level": 4})"),
                 ": budget: needs either max_error or reference_level");
  expect_refused(budget(R"({"max_error": 1, "alpha": 2})"),
                 ": budget: alpha needs reference_level, not max_error");
  expect_refused(budget(R"({"max_error": -1})"), ": budget: max_error must be at least 0, not -1");
  expect_refused(budget(R"({"reference_level": 4, "metric": "l1"})"),
                 ": budget: metric must be \"squared_l2\" or \"l2\"");
}

}  // namespace
}  // namespace convoy::tests
