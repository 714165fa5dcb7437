// SPDX-License-Identifier: Apache-2.0
#include "base/json_object.h"

#include <gtest/gtest.h>

#include "base/errors.h"

namespace convoy {
namespace {

template <typename Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(JsonObject, ReadsWhatIsThere) {
  const auto json = parse_json(R"({"a": 1.5, "b": -3, "c": "x", "d": [1]})", "f");
  const JsonObject object(json, "f", {"a", "b", "c", "d", "e"});
  EXPECT_EQ(object.number("a"), 1.5);
  EXPECT_EQ(object.number("b"), -3.0);
  EXPECT_EQ(object.integer("b", -5, 5), -3);
  EXPECT_EQ(object.text("c"), "x");
  EXPECT_EQ(object.list("d").size(), 1U);
  EXPECT_FALSE(object.has("e"));
}

TEST(JsonObject, NamesWhereAndWhat) {
  const auto json = parse_json(R"({"a": 1.5, "b": -3, "d": []})", "f");
  const JsonObject object(json, "f: part", {"a", "b", "d"});
  EXPECT_EQ(error_of([&] { (void)object.at("c"); }), "f: part: key \"c\" is missing");
  EXPECT_EQ(error_of([&] { (void)object.number("b", 0.0); }),
            "f: part: b must be at least 0, not -3");
  EXPECT_EQ(error_of([&] { (void)object.integer("a"); }), "f: part: a must be an integer, not 1.5");
  EXPECT_EQ(error_of([&] { (void)object.integer("b", 0, 9); }),
            "f: part: b must be in 0..9, not -3");
  EXPECT_EQ(error_of([&] { (void)object.text("d"); }), "f: part: d must be a string, not an array");
  EXPECT_EQ(error_of([&] { (void)object.list("d"); }), "f: part: d is empty");
  EXPECT_EQ(error_of([&] {
              JsonObject(json, "f", {"a", "b", "data"});
            }),
            "f: unknown key \"d\"; did you mean \"a\"?");
  EXPECT_EQ(error_of([&] { JsonObject(json.at("d"), "f", {"a"}); }),
            "f: must be an object, not array");
}

TEST(JsonObject, QuotesNoMoreThanALine) {
  const auto json = parse_json("{\"a\": \"" + std::string(5000, 'x') + "\"}", "f");
  const JsonObject object(json, "f", {"a"});
  EXPECT_LT(error_of([&] { (void)object.number("a"); }).size(), 120U);
}

TEST(ParseJson, RefusesKeysThatStandTwiceInOneObject) {
  EXPECT_EQ(error_of([] { (void)parse_json(R"({"a": {"b": 1}, "c": {"b": 2, "b": 3}})", "f"); }),
            "f: key \"b\" stands twice in one object");
  EXPECT_NO_THROW((void)parse_json(R"([{"a": {"b": 1}}, {"a": 2}])", "f"));
}

}  // namespace
}  // namespace convoy
