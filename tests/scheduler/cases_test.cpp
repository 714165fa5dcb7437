// SPDX-License-Identifier: Apache-2.0
// Scenarios in tests/data/fedcompass with the exact decisions of the published code.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "scheduler/simulator.h"

namespace convoy::tests {
namespace {

using Json = nlohmann::json;

const std::string kFolder = CONVOY_TEST_DATA "/fedcompass/";

/// The lines of one kind.
Json lines_of(const std::string& kind, const std::vector<Json>& lines) {
  Json found = Json::array();
  for (const Json& line : lines) {
    if (line.at("kind") == kind) found.push_back(line);
  }
  return found;
}

/// Integers, lists and texts equal; numbers with a fraction to 1e-9 relative.
void expect_same(const Json& expected, const Json& got, const std::string& where) {
  for (const auto& [key, value] : expected.items()) {
    ASSERT_TRUE(got.contains(key)) << where << " lacks " << key;
    if (!value.is_number_float()) {
      EXPECT_EQ(got.at(key), value) << where << ": " << key;
      continue;
    }
    const double wanted = value;
    EXPECT_NEAR(got.at(key).get<double>(), wanted, 1e-9 * std::abs(wanted)) << where << ": " << key;
  }
}

void expect_same_list(const Json& expected, const Json& got, const std::string& what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expect_same(expected[i], got[i], what + "[" + std::to_string(i) + "]");
  }
}

class FedCompassCase : public testing::TestWithParam<const char*> {};

TEST_P(FedCompassCase, MakesTheExpectedDecisions) {
  const std::string path = kFolder + GetParam() + ".json";
  const Json expected = Json::parse(read_text_file(path)).at("expected");
  const auto scenario = scheduler::read_scenario(path);
  std::vector<Json> lines;
  const auto summary = scheduler::simulate(
      scenario, [&](std::string_view line) { lines.push_back(Json::parse(line)); });
  expect_same_list(expected.at("assignments"), lines_of("assign", lines), "assignments");
  expect_same_list(expected.at("aggregations"), lines_of("aggregate", lines), "aggregations");
  expect_same_list(expected.at("late_arrivals"), lines_of("late", lines), "late_arrivals");
  EXPECT_EQ(lines_of("dispatch", lines).size(), scenario.clients.size());
  EXPECT_EQ(static_cast<std::int64_t>(lines_of("arrive", lines).size()), scenario.arrivals);
  EXPECT_EQ(lines.back().at("kind"), "flush");
  EXPECT_EQ(summary.counts.received,
            summary.counts.aggregated + summary.counts.refused + summary.pending);
}

INSTANTIATE_TEST_SUITE_P(Files, FedCompassCase,
                         testing::Values("01_two_equal", "04_homo5_exact", "06_normal5_const",
                                         "14_slow5x_forever", "17_vanish_in_group", "22_ties_mixed",
                                         "29_overhead", "31_momentum_low", "32_long_absence",
                                         "40_paper_fig1", "41_paper_fig1_lambda1.5",
                                         "43_timer_tie"),
                         [](const auto& named) {
                           std::string name = named.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

}  // namespace
}  // namespace convoy::tests
