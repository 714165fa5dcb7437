// SPDX-License-Identifier: Apache-2.0
#include "trainer/metrics/layer_times.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "tests/temporary_folder.h"
#include "tests/trainer/metrics/spans.h"
#include "trainer/metrics/layer_log.h"
#include "trainer/metrics/phase_times.h"

namespace convoy::trainer {
namespace {

using tests::span_of;

double ms(const PhaseSeconds& seconds, Phase phase) {
  return 1e3 * seconds[static_cast<std::size_t>(phase)];
}

TEST(PhaseSeconds, WhatLiesInsideIsTakenOff) {
  const std::vector spans{span_of(Phase::kForward, "a", 1, 9), span_of(Phase::kExposed, "b", 2, 4),
                          span_of(Phase::kOptimizer, "b", 4, 5),
                          span_of(Phase::kForward, "", 0, 10),
                          span_of(Phase::kBackward, "", 10, 16)};
  const auto seconds = phase_seconds(spans);
  EXPECT_NEAR(ms(seconds, Phase::kForward), 7, 1e-9);
  EXPECT_NEAR(ms(seconds, Phase::kExposed), 2, 1e-9);
  EXPECT_NEAR(ms(seconds, Phase::kOptimizer), 1, 1e-9);
  EXPECT_NEAR(ms(seconds, Phase::kBackward), 6, 1e-9);
}

TEST(PhaseSeconds, CollectivesThatOverlapCountOnce) {
  const std::vector spans{span_of(Phase::kWire, "a", 0, 4),   span_of(Phase::kWire, "b", 1, 3),
                          span_of(Phase::kWire, "c", 3, 6),   span_of(Phase::kWire, "d", 8, 9),
                          span_of(Phase::kEncode, "e", 2, 5), span_of(Phase::kBackward, "", 0, 9)};
  const auto seconds = phase_seconds(spans);
  EXPECT_NEAR(ms(seconds, Phase::kWire), 7, 1e-9);
  EXPECT_NEAR(ms(seconds, Phase::kEncode), 3, 1e-9);
  EXPECT_NEAR(ms(seconds, Phase::kBackward), 9, 1e-9) << "another thread takes nothing off";
}

LayerTimes times_of(const std::vector<Timeline::Span>& spans, const WireShares& shares) {
  LayerTimes times;
  add_layer_seconds(spans, shares, times);
  return times;
}

TEST(LayerTimes, ComputeAndCodecsAreWhatSpansSay) {
  const auto times =
      times_of({span_of(Phase::kForward, "a", 0, 3), span_of(Phase::kForward, "", 0, 5),
                span_of(Phase::kBackward, "a", 5, 9), span_of(Phase::kBackward, "", 5, 10),
                span_of(Phase::kEncode, "a", 9, 10), span_of(Phase::kDecode, "a", 20, 22)},
               {});
  EXPECT_EQ(times.size(), 1U) << "the whole passes are no layer's";
  EXPECT_NEAR(times.at("a").forward, 3e-3, 1e-12);
  EXPECT_NEAR(times.at("a").backward, 4e-3, 1e-12);
  EXPECT_NEAR(times.at("a").compress, 3e-3, 1e-12);
}

TEST(LayerTimes, OfForwardLeaveWaitingAndUpdatesOut) {
  const auto times =
      times_of({span_of(Phase::kForward, "a", 0, 10), span_of(Phase::kExposed, "a", 0, 4),
                span_of(Phase::kOptimizer, "a", 4, 5)},
               {});
  EXPECT_NEAR(times.at("a").forward, 5e-3, 1e-12);
  EXPECT_NEAR(times.at("a").exposed, 4e-3, 1e-12);
}

TEST(LayerTimes, ABucketsWireIsSharedByBytes) {
  const WireShares shares({{"a", "b"}, {"c"}}, {{"a", 300.0}, {"b", 100.0}, {"c", 7.0}});
  const auto times =
      times_of({span_of(Phase::kWire, "b", 0, 8), span_of(Phase::kWire, "c", 10, 11)}, shares);
  EXPECT_NEAR(times.at("a").wire, 6e-3, 1e-12);
  EXPECT_NEAR(times.at("b").wire, 2e-3, 1e-12);
  EXPECT_NEAR(times.at("c").wire, 1e-3, 1e-12);
}

TEST(LayerTimes, BucketsThatAreUnderWayTogetherShareTime) {
  const WireShares shares({{"a"}, {"b"}}, {});
  const std::vector spans{span_of(Phase::kWire, "a", 0, 6), span_of(Phase::kWire, "b", 2, 10)};
  const auto times = times_of(spans, shares);
  EXPECT_NEAR(times.at("a").wire, 4e-3, 1e-12);
  EXPECT_NEAR(times.at("b").wire, 6e-3, 1e-12);
  EXPECT_NEAR(1e3 * (times.at("a").wire + times.at("b").wire),
              ms(phase_seconds(spans), Phase::kWire), 1e-9);
}

TEST(LayerTimes, WaitingIsOfWhatIsUnderWay) {
  const WireShares shares({{"a"}, {"b", "c"}}, {});  // no bytes known: equal parts
  const auto times =
      times_of({span_of(Phase::kExposed, "", 10, 20), span_of(Phase::kWire, "a", 0, 12),
                span_of(Phase::kEncode, "b", 12, 13), span_of(Phase::kWire, "b", 13, 17),
                span_of(Phase::kDecode, "c", 16, 18), span_of(Phase::kExposed, "c", 30, 31)},
               shares);
  EXPECT_NEAR(times.at("a").exposed, 2e-3, 1e-12);
  // Encoding 1, half of the wire alone 1.5, a quarter of what decoding shares.
  EXPECT_NEAR(times.at("b").exposed, 1e-3 + 1.5e-3 + 0.25e-3, 1e-12);
  EXPECT_NEAR(times.at("c").exposed, 1.5e-3 + 0.25e-3 + 0.5e-3 + 1e-3 + 1e-3, 1e-12)
      << "and what names it";
}

TEST(LayerTimes, ALayerOfNoBucketHasNoWire) {
  EXPECT_TRUE(times_of({span_of(Phase::kWire, "dense", 0, 8)}, {}).empty());
}

TEST(LayerLog, WritesMeansInTheOrderOfSending) {
  const tests::TemporaryFolder folder;
  const auto path = folder.path() / "layers.jsonl";
  const LayerTimes sums{
      {"a", {.forward = 0.1, .backward = 0.2, .compress = 0.02, .wire = 0.4, .exposed = 0.3}}};
  LayerLog(path, 0).write(10, 10, {{"b"}, {"a"}}, {{"a", 640.0}}, sums);
  std::ifstream file(path);
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].at("layer"), "b");
  EXPECT_EQ(lines[0].at("wire_ms"), 0.0);
  EXPECT_EQ(lines[1].at("step"), 10);
  EXPECT_EQ(lines[1].at("layer"), "a");
  EXPECT_EQ(lines[1].at("bucket"), 1);
  EXPECT_EQ(lines[1].at("bytes"), 640.0);
  EXPECT_DOUBLE_EQ(lines[1].at("forward_ms"), 10.0);
  EXPECT_DOUBLE_EQ(lines[1].at("backward_ms"), 20.0);
  EXPECT_DOUBLE_EQ(lines[1].at("compress_ms"), 2.0);
  EXPECT_DOUBLE_EQ(lines[1].at("wire_ms"), 40.0);
  EXPECT_DOUBLE_EQ(lines[1].at("exposed_ms"), 30.0);
}

}  // namespace
}  // namespace convoy::trainer
