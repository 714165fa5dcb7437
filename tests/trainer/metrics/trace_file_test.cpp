// SPDX-License-Identifier: Apache-2.0
#include "trainer/metrics/trace_file.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/trainer/metrics/spans.h"

namespace convoy::trainer {
namespace {

using tests::span_of;
using Rows = std::vector<int>;

std::chrono::nanoseconds since_start(Timeline::Clock::time_point time) {
  return time - span_of(Phase::kData, "", 0, 0).begin;
}

TEST(TraceRows, ComputingThreadAndCommunicationThreadAreApart) {
  EXPECT_EQ(trace_rows(std::vector{
                span_of(Phase::kData, "", 0, 1), span_of(Phase::kForward, "", 1, 5),
                span_of(Phase::kForward, "a", 2, 4), span_of(Phase::kBackward, "", 5, 9),
                span_of(Phase::kEncode, "a", 6, 7), span_of(Phase::kWire, "a", 7, 8),
                span_of(Phase::kDecode, "a", 8, 9), span_of(Phase::kExposed, "", 9, 10),
                span_of(Phase::kOptimizer, "", 10, 11)}),
            (Rows{0, 0, 0, 0, 100, 200, 100, 0, 0}));
}

TEST(TraceRows, CollectivesThatOverlapLieSideBySide) {
  EXPECT_EQ(
      trace_rows(std::vector{span_of(Phase::kWire, "a", 0, 5),
                             span_of(Phase::kWire, "b", 1, 2),  // also where one is inside
                             span_of(Phase::kWire, "c", 3, 7), span_of(Phase::kWire, "d", 4, 6),
                             span_of(Phase::kWire, "e", 7, 8)}),
      (Rows{200, 201, 201, 202, 200}));
}

TEST(TraceRows, WhatNeitherNestsNorFollowsHasARowOfItsOwn) {
  EXPECT_EQ(
      trace_rows(std::vector{span_of(Phase::kEncode, "a", 0, 5), span_of(Phase::kEncode, "b", 1, 5),
                             span_of(Phase::kEncode, "c", 3, 7)}),
      (Rows{100, 100, 101}));
}

TEST(TraceFile, IsJsonWithOneProcessARank) {
  const std::vector spans{span_of(Phase::kForward, "", 1, 5, 9),
                          span_of(Phase::kBackward, "say \"hi\".weight", 5.0005, 8.25, 9),
                          span_of(Phase::kWire, "a", 6, 7, 8), span_of(Phase::kWire, "b", 6, 8, 8)};
  const auto text =
      trace_document(std::vector{trace_events(0, "rank 0 on here", spans, since_start),
                                 trace_events(1, "rank 1 on there", {}, since_start)});
  const auto json = nlohmann::json::parse(text);
  std::vector<nlohmann::json> drawn;
  std::vector<std::string> names;
  for (const auto& event : json.at("traceEvents")) {
    if (event.at("ph") == "X") {
      drawn.push_back(event);
    } else if (event.at("name") == "process_name" || event.at("name") == "thread_name") {
      names.push_back(event.at("args").at("name"));
    }
  }
  EXPECT_EQ(names, (std::vector<std::string>{"rank 0 on here", "compute thread", "wire", "wire 2",
                                             "rank 1 on there"}));
  ASSERT_EQ(drawn.size(), 4U);
  EXPECT_EQ(drawn[0].at("name"), "forward");
  EXPECT_EQ(drawn[0].at("ts"), 1000.0);
  EXPECT_EQ(drawn[0].at("dur"), 4000.0);
  EXPECT_EQ(drawn[0].at("args"), nlohmann::json({{"step", 10}}));
  EXPECT_EQ(drawn[1].at("name"), "backward say \"hi\".weight");
  EXPECT_EQ(drawn[1].at("cat"), "backward");
  EXPECT_EQ(drawn[1].at("ts"), 5000.5);
  EXPECT_EQ(drawn[1].at("dur"), 3249.5);
  EXPECT_EQ(drawn[1].at("args").at("layer"), "say \"hi\".weight");
  EXPECT_EQ(drawn[2].at("args").at("step"), 9) << "communication may be a step behind";
  EXPECT_NE(drawn[2].at("tid"), drawn[3].at("tid"));
}

TEST(TraceFile, HoldsMomentsBeforeItsBeginning) {
  const auto text = trace_document(std::vector{
      trace_events(0, "rank 0", std::vector{span_of(Phase::kData, "", -0.0005, 1)}, since_start)});
  EXPECT_EQ(nlohmann::json::parse(text).at("traceEvents").back().at("ts"), -0.5);
}

TEST(TraceFile, OfNothingIsStillATrace) {
  EXPECT_TRUE(nlohmann::json::parse(trace_document({})).at("traceEvents").empty());
}

}  // namespace
}  // namespace convoy::trainer
