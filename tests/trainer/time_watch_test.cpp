// SPDX-License-Identifier: Apache-2.0
// Traces and layers.jsonl of real runs: what they say, and that they agree with the metrics.
#include "trainer/time_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/file.h"
#include "tests/trainer/training_fixture.h"

namespace convoy::trainer {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::vector<Json> lines_of(const fs::path& path) {
  std::ifstream file(path);
  std::vector<Json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(Json::parse(line));
  return lines;
}

/// The drawn events of a trace.
std::vector<Json> drawn(const fs::path& file) {
  std::vector<Json> events;
  const Json document = Json::parse(read_text_file(file));
  for (const auto& event : document.at("traceEvents")) {
    if (event.at("ph") == "X") events.push_back(event);
  }
  return events;
}

/// One row of a trace, in the order of time, outer events first; whole nanoseconds.
struct Event {
  std::int64_t begin;
  std::int64_t end;
  std::string phase;
  bool is_of_layer;
};
using Row = std::vector<Event>;

std::map<std::pair<int, int>, Row> rows_of(const std::vector<Json>& events) {
  std::map<std::pair<int, int>, Row> rows;
  for (const auto& event : events) {
    const auto begin = std::llround(1e3 * event.at("ts").get<double>());
    const auto length = std::llround(1e3 * event.at("dur").get<double>());
    rows[{event.at("pid"), event.at("tid")}].push_back(
        {begin, begin + length, event.at("cat"), event.at("args").contains("layer")});
  }
  for (auto& [key, row] : rows) {
    std::ranges::sort(row, {}, [](const Event& e) { return std::tuple(e.begin, -e.end); });
  }
  return rows;
}

/// Milliseconds of each phase in one row, without what lies inside.
/// Fails where events neither nest nor follow each other.
std::map<std::string, double> own_times(const Row& row) {
  std::map<std::string, double> sums;
  std::vector<const Event*> outer;
  for (const Event& event : row) {
    EXPECT_GE(event.begin, 0);
    while (!outer.empty() && outer.back()->end <= event.begin) outer.pop_back();
    const double length = 1e-6 * static_cast<double>(event.end - event.begin);
    sums[event.phase] += length;
    if (!outer.empty()) {
      EXPECT_LE(event.end, outer.back()->end) << event.phase << " in " << outer.back()->phase;
      sums[outer.back()->phase] -= length;
    }
    outer.push_back(&event);
  }
  return sums;
}

/// The computing thread until the end of its last step: with next_forward updates come after it.
Row in_steps(Row row) {
  const auto is_update = [](const Event& e) { return e.phase == "optimizer" && !e.is_of_layer; };
  const auto last = std::find_if(row.rbegin(), row.rend(), is_update);
  row.erase(last.base() + 1, row.end());  // the waiting after it stays
  return row;
}

struct Traced {
  tests::TemporaryFolder folder;
  fs::path file = folder.path() / "trace.json";

  void train(const Job& job, int ranks, std::int64_t first = 0, std::int64_t last = 0,
             const std::function<void(RunRequest&)>& change = nullptr) const {
    RunRequest request{.run_dir = folder.path() / "run", .quiet = true};
    request.trace = {.file = file, .first_step = first, .last_step = last};
    if (change) change(request);
    (void)tests::train_local(job, ranks, request);
  }
  [[nodiscard]] std::set<int> steps() const {
    std::set<int> steps;
    for (const auto& event : drawn(file)) steps.insert(event.at("args").at("step").get<int>());
    return steps;
  }
};

/// A small job of each way to send.
std::vector<std::pair<std::string, Job>> ways() {
  std::vector<std::pair<std::string, Job>> ways;
  for (const char* family : {"none", "power_sgd", "quantize"}) {
    for (const char* overlap : {"true", "false", "next_forward"}) {
      Job job = tests::small_job();
      job.compression.family = family;
      job.compression.policy = "uniform";
      job.compression.warmup_steps = 0;
      job.compression.min_numel = 64;
      job.communication.overlap = overlap;
      job.communication.bucket_mb = 0.0005;
      ways.emplace_back(std::string(family) + ", overlap " + overlap, job);
    }
  }
  return ways;
}

TEST(Trace, AgreesWithTheMetricsHoweverGradientsTravel) {
  for (auto& [name, job] : ways()) {
    SCOPED_TRACE(name);
    job.metrics.every_steps = job.train.steps;
    const Traced run;
    run.train(job, 2, 1, job.train.steps);
    const auto rows = rows_of(drawn(run.file));
    const auto sums = own_times(in_steps(rows.at({0, 0})));
    for (const auto& [key, row] : rows) (void)own_times(row);
    const Json metrics = lines_of(run.folder.path() / "run" / "metrics.jsonl").at(0);
    const auto expect_sum = [&](const char* phase, const char* field) {
      const double mean = sums.at(phase) / static_cast<double>(job.train.steps);
      EXPECT_NEAR(mean, metrics.at(field).get<double>(), 0.01 + 0.01 * mean) << phase;
    };
    expect_sum("forward", "forward_ms");
    expect_sum("backward", "backward_ms");
    expect_sum("optimizer", "optimizer_ms");
    expect_sum("exposed", "exposed_communication_ms");
  }
}

TEST(Trace, ShowsAllRanksTheirThreadsAndLayers) {
  for (const auto& [name, job] : ways()) {
    SCOPED_TRACE(name);
    const Traced run;
    run.train(job, 2, 3, 5);
    EXPECT_EQ(run.steps(), (std::set<int>{3, 4, 5}));
    const auto events = drawn(run.file);
    for (const int rank : {0, 1}) {
      std::map<std::string, std::set<std::string>> layers;  // by phase
      std::set<int> rows;
      for (const auto& event : events) {
        if (event.at("pid") != rank) continue;
        const int row = event.at("tid");
        rows.insert(row);
        EXPECT_TRUE(row == 0 || row == 100 || row >= 200) << row << ": a thread overlaps itself";
        layers[event.at("cat")].insert(event.at("args").value("layer", ""));
      }
      EXPECT_TRUE(rows.contains(0) && rows.contains(200));
      EXPECT_EQ(rows.contains(100), job.compression.family != "none");
      EXPECT_EQ(layers["backward"].size(), 1U + 6U) << "three layers with a bias each";
      EXPECT_EQ(layers["forward"].size(), 1U + 3U);
      EXPECT_TRUE(layers["data"].contains("") && layers["optimizer"].size() >= 1);
    }
  }
}

TEST(Trace, OfAShortRunIsOfAllItsSteps) {
  Job job = tests::small_job();
  job.train.steps = 4;
  const Traced run;
  run.train(job, 2);
  EXPECT_EQ(run.steps(), (std::set<int>{1, 2, 3, 4}));
}

TEST(Trace, IsThereAsSoonAsItsStepsAreOver) {
  Job job = tests::small_job();
  job.checkpoint.every_steps = 10;
  const Traced run;
  std::atomic<bool> stop = false;
  run.train(job, 2, 2, 3, [&](RunRequest& request) { request.stop = &stop; });
  EXPECT_EQ(run.steps(), (std::set<int>{2, 3}));
}

TEST(Trace, OfAStoppedRunHasWhatThereWas) {
  Job job = tests::small_job();
  const Traced run;
  std::atomic<bool> stop = true;
  run.train(job, 2, 1, 20, [&](RunRequest& request) { request.stop = &stop; });
  EXPECT_EQ(run.steps(), std::set<int>{1});
}

TEST(Trace, ThatCannotBeWrittenIsRefusedBeforeTraining) {
  const tests::TemporaryFolder folder;
  const Job job = tests::small_job();
  RunRequest request{.run_dir = folder.path() / "run", .quiet = true};
  request.trace.file = folder.path() / "nowhere" / "trace.json";
  try {
    (void)tests::train_local(job, 2, request);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("nowhere/trace.json: No such file or directory"),
              std::string::npos)
        << error.what();
  }
  EXPECT_FALSE(fs::exists(request.run_dir / "metrics.jsonl"));
}

TEST(TracedSteps, AreTheOnesAskedForOrTwentyAfterTheFirstNine) {
  const auto expect = [](const StepRange& found, std::int64_t begin, std::int64_t end) {
    EXPECT_EQ(found.begin, begin);
    EXPECT_EQ(found.end, end);
  };
  expect(traced_steps({.file = "f"}, {0, 1000}), 9, 29);
  expect(traced_steps({.file = "f"}, {500, 1000}), 509, 529);
  expect(traced_steps({.file = "f"}, {0, 25}), 5, 25);
  expect(traced_steps({.file = "f"}, {0, 3}), 0, 3);
  expect(traced_steps({.file = "f", .first_step = 1, .last_step = 7}, {0, 1000}), 0, 7);
  expect(traced_steps({.file = "f", .first_step = 400, .last_step = 700}, {500, 600}), 500, 600);
  EXPECT_THROW((void)traced_steps({.file = "f", .first_step = 11, .last_step = 20}, {0, 10}),
               ConfigError);
}

TEST(Layers, AddUpToTheMetrics) {
  for (auto& [name, job] : ways()) {
    SCOPED_TRACE(name);
    job.metrics.layers = true;
    const tests::TemporaryFolder folder;
    (void)tests::train_local(job, 2, folder.path());
    const auto metrics = lines_of(folder.path() / "metrics.jsonl");
    const auto layers = lines_of(folder.path() / "layers.jsonl");
    ASSERT_EQ(layers.size(), 4U * 6U) << "20 steps, a line for 5";
    for (std::size_t i = 0; i < 4; ++i) {
      std::map<std::string, double> sums;
      for (const auto& line : layers) {
        if (line.at("step") != metrics[i].at("step")) continue;
        for (const char* field :
             {"forward_ms", "backward_ms", "compress_ms", "wire_ms", "exposed_ms"}) {
          EXPECT_GE(line.at(field), 0.0);
          sums[field] += line.at(field).get<double>();
        }
        EXPECT_GT(line.at("bytes"), 0.0);
        EXPECT_GT(line.at("backward_ms"), 0.0);
      }
      const auto of = [&](const char* field) { return metrics[i].at(field).get<double>(); };
      EXPECT_NEAR(sums.at("compress_ms"), of("encode_ms") + of("decode_ms"), 1e-6);
      EXPECT_LE(sums.at("wire_ms"), of("wire_ms") * 1.0001 + 1e-6);
      EXPECT_GT(sums.at("wire_ms"), 0.0);
      EXPECT_LE(sums.at("forward_ms"), of("forward_ms") * 1.0001);
      EXPECT_LE(sums.at("backward_ms"), of("backward_ms") * 1.0001);
      EXPECT_LE(sums.at("exposed_ms"), of("exposed_communication_ms") * 1.0001);
      EXPECT_EQ(sums.at("compress_ms") > 0.0, job.compression.family != "none");
    }
  }
}

TEST(Layers, AreNotWatchedUnlessAskedFor) {
  const tests::TemporaryFolder folder;
  (void)tests::train_local(tests::small_job(), 2, folder.path());
  EXPECT_FALSE(fs::exists(folder.path() / "layers.jsonl"));
  EXPECT_FALSE(lines_of(folder.path() / "metrics.jsonl").at(0).contains("wire_ms"));
}

TEST(Layers, GoOnWithATraceBesideThem) {
  Job job = tests::small_job();
  job.metrics.layers = true;
  const Traced run;
  run.train(job, 2, 4, 6);
  EXPECT_EQ(run.steps(), (std::set<int>{4, 5, 6}));
  const auto layers = lines_of(run.folder.path() / "run" / "layers.jsonl");
  ASSERT_EQ(layers.size(), 4U * 6U);
  for (const auto& line : layers) EXPECT_GT(line.at("backward_ms"), 0.0);
}

}  // namespace
}  // namespace convoy::trainer
