// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>

#include "base/errors.h"
#include "launch/bench/benchmark.h"
#include "launch/bench/scaling.h"
#include "launch/bench/scaling_report.h"
#include "launch/bench/step_options.h"
#include "launch/commands/job_options.h"

namespace convoy::launch {
namespace {

constexpr std::int64_t kSteps = 16;

class ScalingBenchmark final : public Benchmark {
 public:
  [[nodiscard]] std::string name() const override { return "scaling"; }
  [[nodiscard]] std::string summary() const override {
    return "Steps of 1, 2, ... ranks, and what more ranks would take";
  }

  void add_options(CLI::App& app) override {
    options_.add_to(app);
    app.add_option("--growth", growth_,
                   "weak: a batch for each rank; strong: the ranks share it; both")
        ->check(CLI::IsMember({"weak", "strong", "both"}))
        ->capture_default_str();
    app.add_option("--hold-out", held_out_,
                   "Numbers of ranks that check the cost model; default: every other one")
        ->delimiter(',');
    app.add_option("--ahead", ahead_.most_ranks, "Ranks up to which the cost model looks ahead")
        ->check(CLI::Range(1, 1 << 20))
        ->capture_default_str();
    add_json_option(app, json_);
  }

  [[nodiscard]] trainer::Job settle(int ranks) override {
    require_config(ranks > 1, "bench scaling needs several ranks: convoy launch -n 4 -- bench ...");
    bench_.step = options_.settle("bench scaling");
    bench_.ranks = rank_counts(ranks);
    bench_.growths.clear();
    if (growth_ != "strong") bench_.growths.push_back(Growth::kWeak);
    if (growth_ != "weak") bench_.growths.push_back(Growth::kStrong);
    bench_.families = {"none"};
    const auto& compression = bench_.step.job.compression;
    if (compression.family != "none") bench_.families.push_back(compression.family);
    ahead_.two_hop_ranks = compression.two_hop_ranks;
    ahead_.held_out = held_out_.empty() ? held_out_ranks(bench_.ranks) : held_out_;
    check_ranks();
    return bench_.step.job;
  }

  void run(Process&, comm::Communicator& communicator) override {
    ScalingReport report{.transport = std::string(communicator.backend()),
                         .runs = measure_scaling(communicator, bench_),
                         .options = ahead_,
                         .forecast = {}};
    if (communicator.rank() != 0) return;
    report.forecast = forecast(report.runs, ahead_);
    const std::string text = json_ ? to_json(bench_, report) : to_text(bench_, report);
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }

 private:
  /// The model must see several ranks at least once in each growth.
  void check_ranks() const {
    const auto& counts = bench_.ranks;
    for (const int count : held_out_) {
      require_config(count > 1 && std::ranges::find(counts, count) != counts.end(),
                     "--hold-out " + std::to_string(count) + ": no runs of so many ranks");
    }
    const auto batch = bench_.step.job.train.batch_size;
    for (const Growth growth : bench_.growths) {
      const bool seen = std::ranges::any_of(counts, [&](int count) {
        return count > 1 && std::ranges::find(ahead_.held_out, count) == ahead_.held_out.end() &&
               (growth == Growth::kWeak || batch % count == 0);
      });
      require_config(seen, "bench scaling: no " + std::string(launch::name(growth)) +
                               " run of several ranks is left: give a --batch that more ranks can "
                               "share, or hold out fewer");
    }
  }

  StepOptions options_{kSteps};
  ScalingBench bench_;
  ForecastOptions ahead_;
  std::vector<int> held_out_;
  std::string growth_ = "both";
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Benchmark> make_scaling_benchmark() { return std::make_unique<ScalingBenchmark>(); }

}  // namespace convoy::launch
