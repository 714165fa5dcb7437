// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <vector>

#include "launch/bench/benchmark.h"
#include "launch/commands/command.h"
#include "launch/process/backend.h"

namespace convoy::launch {
namespace {

class BenchCommand final : public Command {
 public:
  BenchCommand() {
    benchmarks_.push_back(make_all_reduce_benchmark());
    benchmarks_.push_back(make_step_benchmark());
    benchmarks_.push_back(make_scaling_benchmark());
  }

  [[nodiscard]] std::string name() const override { return "bench"; }
  [[nodiscard]] std::string summary() const override { return "Measure what these ranks can do"; }

  void add_options(CLI::App& app) override {
    app.require_subcommand(1);
    for (auto& benchmark : benchmarks_) {
      auto* words = app.add_subcommand(benchmark->name(), benchmark->summary());
      benchmark->add_options(*words);
      words->callback([this, &benchmark] { chosen_ = benchmark.get(); });
    }
  }

  [[nodiscard]] Preparation prepare(int ranks) override {
    return {.threads_per_rank = chosen_->settle(ranks).run.threads_per_rank};
  }

  [[nodiscard]] int run(Process& process) override {
    const trainer::Job job = chosen_->settle(process.place().ranks);
    run_ranks(process, job, [&](comm::Communicator& c) { chosen_->run(process, c); });
    return kSuccess;
  }

 private:
  std::vector<std::unique_ptr<Benchmark>> benchmarks_;
  Benchmark* chosen_ = nullptr;  // by the command line, which has to name one
};

}  // namespace

std::unique_ptr<Command> make_bench_command() { return std::make_unique<BenchCommand>(); }

}  // namespace convoy::launch
