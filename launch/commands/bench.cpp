// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include <cstdio>
#include <sstream>

#include "base/errors.h"
#include "comm/tcp/tcp.h"
#include "launch/commands/bench_all_reduce.h"
#include "launch/commands/command.h"
#include "launch/commands/job_options.h"
#include "launch/process/backend.h"

namespace convoy::launch {
namespace {

/// "16MB" in bytes, in powers of 1024; whole floats, at most what MPI can count.
std::size_t parse_size(const std::string& text) {
  std::istringstream words(text);
  std::size_t count = 0;
  std::string unit;
  words >> count >> unit;
  std::size_t bytes = 0;
  if (unit == "B") bytes = count;
  if (unit == "KB") bytes = count << 10;
  if (unit == "MB") bytes = count << 20;
  require_config(bytes > 0 && bytes % sizeof(float) == 0 && bytes <= std::size_t{1} << 32,
                 "--sizes " + text + ": must look like 4KB,16MB, whole floats, at most 4096MB");
  return bytes;
}

class BenchCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "bench"; }
  [[nodiscard]] std::string summary() const override { return "Measure what these ranks can do"; }

  void add_options(CLI::App& app) override {
    app.require_subcommand(1);
    auto& all_reduce = *app.add_subcommand(
        "allreduce",
        "Our all-reduce against MPI_Allreduce and plain streams, with idle and with busy cores");
    all_reduce.add_option("--sizes", sizes_, "Sizes of the buffers")->capture_default_str();
    all_reduce.add_option("--transport", job_.communication.transport, "auto, mpi or tcp")
        ->check(CLI::IsMember({"auto", "mpi", "tcp"}))
        ->capture_default_str();
    all_reduce.add_option("--network", job_.communication.network, "As communication.network");
    all_reduce.add_option("--chunk-kb", job_.communication.chunk_kb, "As communication.chunk_kb")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    all_reduce.add_option("--repeats", bench_.repeats, "Measurements of each kind")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    all_reduce
        .add_option("--compute-threads", bench_.compute_threads,
                    "Threads with which each rank keeps the cores busy")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    add_json_option(all_reduce, json_);
  }

  [[nodiscard]] Preparation prepare(int ranks) override {
    require_config(ranks > 1,
                   "bench allreduce needs several ranks: convoy launch -n 2 -- bench ...");
    settle();
    return {};
  }

  [[nodiscard]] int run(Process& process) override {
    require_config(process.place().ranks > 1,
                   "bench allreduce needs several ranks: convoy launch -n 2 -- bench ...");
    settle();
    run_ranks(process, job_, [&](comm::Communicator& c) { run_rank(process, c); });
    return kSuccess;
  }

 private:
  void settle() {
    bench_.sizes_bytes.clear();
    std::istringstream list(sizes_);
    for (std::string size; std::getline(list, size, ',');) {
      bench_.sizes_bytes.push_back(parse_size(size));
    }
    require_config(!bench_.sizes_bytes.empty(), "--sizes needs a size");
    comm::tcp::check_network(job_.communication.network);
    job_.communication.backend = "mpi";
  }

  void run_rank(Process& process, comm::Communicator& communicator) {
    auto& mpi = process.start_mpi();
    AllReduceReport report{.ranks = communicator.size(),
                           .transport = std::string(communicator.backend()),
                           .repeats = bench_.repeats,
                           .compute_threads = bench_.compute_threads};
    report.streams =
        bench_streams(communicator, job_.communication.network, bench_.compute_threads);
    report.rows = bench_all_reduce(
        communicator, [&](std::span<float> values) { mpi.stock_all_reduce(values); }, bench_);
    if (communicator.rank() != 0) return;
    std::fputs((json_ ? to_json(report) : to_text(report)).c_str(), stdout);
    std::fflush(stdout);
  }

  trainer::Job job_;
  AllReduceBench bench_;
  std::string sizes_ = "4KB,64KB,1MB,16MB";
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_bench_command() { return std::make_unique<BenchCommand>(); }

}  // namespace convoy::launch
