// SPDX-License-Identifier: Apache-2.0
// convoy bench: what it prints and what it refuses. How fast anything is, is not its business.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/launch/child.h"

namespace convoy::tests {
namespace {

std::string refusal(const std::vector<std::string>& arguments) {
  const TemporaryFolder folder;
  Child child(folder, arguments);
  EXPECT_EQ(child.wait().value_or(-1), 2) << child.errors();
  EXPECT_EQ(child.output(), "");
  return child.errors();
}

TEST(BenchCommand, MeasuresOursAndTheStockSumAtEverySize) {
  const TemporaryFolder folder;
  Child child(folder, {"launch", "-n", "2", "--", "bench", "allreduce", "--json", "--sizes",
                       "400B,1MB", "--repeats", "1", "--transport", "tcp"});
  ASSERT_EQ(child.wait().value_or(-1), 0) << child.errors();
  const auto report = nlohmann::json::parse(child.output());
  EXPECT_EQ(report["ranks"], 2);
  EXPECT_EQ(report["transport"], "tcp");
  const double line = report["line_rate"];
  EXPECT_GT(line, 0.0);
  EXPECT_GT(report["line_rate_computing"].get<double>(), 0.0);
  EXPECT_GT(report["stream_compute_slowdown"].get<double>(), 0.0);
  ASSERT_EQ(report["rows"].size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& row = report["rows"][i];
    EXPECT_EQ(row["bytes"], i < 2 ? 400 : 1 << 20);
    EXPECT_EQ(row["cores"], i % 2 == 0 ? "idle" : "computing");
    EXPECT_EQ(row["checked"], true);
    const double seconds = row["seconds"];
    // With two ranks every byte is sent once each way.
    EXPECT_NEAR(row["busbw"].get<double>(), row["bytes"].get<double>() / seconds, 1.0);
    EXPECT_NEAR(row["line_rate_share"].get<double>(), row["busbw"].get<double>() / line, 1e-9);
    EXPECT_NEAR(row["stock_ratio"].get<double>(), seconds / row["stock"]["seconds"].get<double>(),
                1e-9);
    EXPECT_EQ(row.contains("compute_slowdown"), i % 2 == 1);
  }
}

nlohmann::json bench_step(std::vector<std::string> options, const std::string& ranks) {
  const TemporaryFolder folder;
  std::vector<std::string> words{"launch", "-n", ranks, "--", "bench", "step", "--json"};
  words.insert(words.end(), options.begin(), options.end());
  Child child(folder, words);
  EXPECT_EQ(child.wait().value_or(-1), 0) << child.errors();
  return nlohmann::json::parse(child.output());
}

TEST(BenchCommand, TracesSteps) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "trace.json").string();
  const auto report =
      bench_step({"--model", "mlp", "--batch", "4", "--steps", "8", "--compute", "sleep:5ms",
                  "--set", "communication.overlap=next_forward", "--trace", file},
                 "2");
  EXPECT_GT(report["wire"].get<double>(), 0.0);
  std::set<std::pair<int, std::string>> seen;  // by rank
  const auto trace = nlohmann::json::parse(std::ifstream(file));
  for (const auto& event : trace.at("traceEvents")) {
    if (event.at("ph") == "X") seen.emplace(event.at("pid"), event.at("cat"));
  }
  for (const char* phase : {"forward", "backward", "optimizer", "exposed", "wire"}) {
    EXPECT_TRUE(seen.contains({0, phase}) && seen.contains({1, phase})) << phase;
  }
  EXPECT_NE(refusal({"bench", "step", "--model", "mlp", "--trace", file + "/no"})
                .find("cannot write " + file + "/no"),
            std::string::npos);
}

TEST(BenchCommand, MeasuresStepsAgainstStepsAlone) {
  const auto report = bench_step(
      {"--model", "mlp", "--batch", "4", "--steps", "8", "--compute", "sleep:20ms"}, "2");
  EXPECT_EQ(report["ranks"], 2);
  EXPECT_EQ(report["model"], "mlp");
  EXPECT_EQ(report["compute"], "sleep:20ms");
  EXPECT_EQ(report["steps"], 8);
  EXPECT_EQ(report["statistic"], "median");
  const double alone = report["alone"]["seconds"];
  const double together = report["together"]["seconds"];
  EXPECT_GE(alone, 0.02);
  EXPECT_GE(together, 0.02);
  EXPECT_NEAR(report["efficiency"].get<double>(), alone / together, 1e-12);
  // 3072 -> 256 -> 256 -> 10 with biases; two ranks send each float once.
  constexpr double kBytes = 4.0 * (3072 * 256 + 256 + 256 * 256 + 256 + 256 * 10 + 10);
  EXPECT_EQ(report["dense_bytes"].get<double>(), kBytes);
  EXPECT_GE(report["bytes"].get<double>(), kBytes);
  EXPECT_LT(report["bytes"].get<double>(), kBytes + 1000);
  EXPECT_GT(report["wire"].get<double>(), 0.0);
  EXPECT_EQ(report["encode"].get<double>(), 0.0);
}

TEST(BenchCommand, MeasuresPlannedLevelsOverWholeCycles) {
  const auto report = bench_step({"--model", "mlp", "--batch", "4", "--steps", "8", "--compression",
                                  "power_sgd", "--set", "compression.adapt_every=12"},
                                 "2");
  EXPECT_EQ(report["statistic"], "mean");
  EXPECT_EQ(report["steps"], 24);
  EXPECT_GT(report["encode"].get<double>(), 0.0);
  EXPECT_GT(report["decode"].get<double>(), 0.0);
  EXPECT_LT(report["bytes"].get<double>(), report["dense_bytes"].get<double>() / 2);
}

TEST(BenchCommand, MeasuresAndForetellsHowStepsScale) {
  const TemporaryFolder folder;
  Child child(folder, {"launch", "-n", "2", "--", "bench", "scaling", "--json", "--model", "mlp",
                       "--batch", "4", "--steps", "8", "--compute", "sleep:5ms", "--compression",
                       "half", "--ahead", "8"});
  ASSERT_EQ(child.wait().value_or(-1), 0) << child.errors();
  const auto report = nlohmann::json::parse(child.output());
  ASSERT_EQ(report["runs"].size(), 8U);
  for (std::size_t i = 0; i < 8; ++i) {
    const auto& run = report["runs"][i];
    EXPECT_EQ(run["growth"], i < 4 ? "weak" : "strong");
    EXPECT_EQ(run["family"], i % 4 < 2 ? "none" : "half");
    EXPECT_EQ(run["ranks"], 1 + i % 2);
    EXPECT_EQ(run["held_out"], false);
    const double seconds = run["seconds"];
    const double share = i == 5 || i == 7 ? 2.0 : 1.0;  // of the batch
    EXPECT_GE(run["alone"].get<double>(), 0.005 / share);
    const double one = report["runs"][i - i % 2]["seconds"];
    EXPECT_NEAR(run["against_one"].get<double>(), one / (share * seconds), 1e-9);
    EXPECT_NEAR(run["model_error"].get<double>(),
                run["model_seconds"].get<double>() / seconds - 1.0, 1e-9);
  }
  EXPECT_EQ(report["runs"][0]["bytes"], 0);
  // Half of the floats of mlp (see above), and what is not compressed.
  EXPECT_NEAR(report["runs"][3]["bytes"].get<double>(),
              report["runs"][1]["bytes"].get<double>() / 2, 5e3);
  ASSERT_EQ(report["forecast"].size(), 8U);
  EXPECT_EQ(report["forecast"][0]["ranks"], 4);
  EXPECT_EQ(report["forecast"][1]["ranks"], 8);
  EXPECT_FALSE(report.contains("held_out_error"));
  EXPECT_GE(report["assumptions"].size(), 3U);
}

TEST(BenchCommand, RefusesScalingOfNothing) {
  const auto scaling = [](std::vector<std::string> options) {
    options.insert(options.begin(), {"launch", "-n", "2", "--", "bench", "scaling"});
    return refusal(options);
  };
  EXPECT_NE(refusal({"bench", "scaling"}).find("needs several ranks"), std::string::npos);
  EXPECT_NE(scaling({"--hold-out", "3"}).find("--hold-out 3: no runs of so many ranks"),
            std::string::npos);
  EXPECT_NE(scaling({"--hold-out", "2"}).find("no weak run of several ranks is left"),
            std::string::npos);
  EXPECT_NE(scaling({"--batch", "3"}).find("no strong run of several ranks is left"),
            std::string::npos);
}

TEST(BenchCommand, RefusesWhatItCannotMeasure) {
  for (const char* time : {"sleep:0ms", "sleep:5", "sleep:5s", "doze", "sleep:-1ms"}) {
    const auto said = refusal({"bench", "step", "--compute", time});
    EXPECT_NE(said.find("must be real, or like sleep:345ms"), std::string::npos) << time << said;
  }
  EXPECT_NE(refusal({"bench", "step", "--set", "train.accumulate=2"}).find("train.accumulate"),
            std::string::npos);
  EXPECT_NE(refusal({"bench", "step", "--model", "resnet99"}).find("resnet99"), std::string::npos);
  EXPECT_NE(refusal({"bench", "allreduce"}).find("needs several ranks"), std::string::npos);
  for (const char* size : {"4", "3B", "0KB", "x", "5000MB"}) {
    const auto said = refusal({"launch", "-n", "2", "--", "bench", "allreduce", "--sizes", size});
    EXPECT_NE(said.find("must look like 4KB,16MB"), std::string::npos) << size << said;
  }
  EXPECT_NE(refusal({"bench"}).find("subcommand"), std::string::npos);
}

}  // namespace
}  // namespace convoy::tests
