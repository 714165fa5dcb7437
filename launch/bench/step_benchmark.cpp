// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "launch/bench/benchmark.h"
#include "launch/bench/step.h"
#include "launch/bench/step_options.h"
#include "launch/commands/job_options.h"

namespace convoy::launch {
namespace {

constexpr std::int64_t kSteps = 40;

class StepBenchmark final : public Benchmark {
 public:
  [[nodiscard]] std::string name() const override { return "step"; }
  [[nodiscard]] std::string summary() const override {
    return "Training steps against the same steps without communication";
  }

  void add_options(CLI::App& app) override {
    options_.add_to(app);
    app.add_option("--trace", trace_,
                   "Write where the time of 20 steps goes as a Chrome trace for ui.perfetto.dev; "
                   "watching layers takes time, too")
        ->type_name("FILE");
    add_json_option(app, json_);
  }

  [[nodiscard]] trainer::Job settle(int) override { return options_.settle("bench step").job; }

  void run(Process& process, comm::Communicator& communicator) override {
    StepBench bench = options_.bench();
    bench.trace = trace_;
    bench.host = process.host();
    const StepReport report = measure_steps(communicator, bench);
    if (communicator.rank() != 0) return;
    const std::string transport(communicator.backend());
    const std::string text = json_ ? to_json(bench, report, communicator.size(), transport)
                                   : to_text(bench, report, communicator.size(), transport);
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }

 private:
  StepOptions options_{kSteps};
  std::string trace_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Benchmark> make_step_benchmark() { return std::make_unique<StepBenchmark>(); }

}  // namespace convoy::launch
