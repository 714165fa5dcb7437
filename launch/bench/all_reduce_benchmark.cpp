// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include <cstdio>
#include <sstream>

#include "base/errors.h"
#include "comm/tcp/tcp.h"
#include "launch/bench/all_reduce.h"
#include "launch/bench/benchmark.h"
#include "launch/commands/job_options.h"

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

class AllReduceBenchmark final : public Benchmark {
 public:
  [[nodiscard]] std::string name() const override { return "allreduce"; }
  [[nodiscard]] std::string summary() const override {
    return "Our all-reduce against MPI_Allreduce and plain streams, with idle and with busy cores";
  }

  void add_options(CLI::App& app) override {
    app.add_option("--sizes", sizes_, "Sizes of the buffers")->capture_default_str();
    app.add_option("--transport", job_.communication.transport, "auto, mpi or tcp")
        ->check(CLI::IsMember({"auto", "mpi", "tcp"}))
        ->capture_default_str();
    app.add_option("--network", job_.communication.network, "As communication.network");
    app.add_option("--chunk-kb", job_.communication.chunk_kb, "As communication.chunk_kb")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--repeats", bench_.repeats, "Measurements of each kind")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--compute-threads", bench_.compute_threads,
                   "Threads with which each rank keeps the cores busy")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    add_json_option(app, json_);
  }

  [[nodiscard]] trainer::Job settle(int ranks) override {
    require_config(ranks > 1,
                   "bench allreduce needs several ranks: convoy launch -n 2 -- bench ...");
    bench_.sizes_bytes.clear();
    std::istringstream list(sizes_);
    for (std::string size; std::getline(list, size, ',');) {
      bench_.sizes_bytes.push_back(parse_size(size));
    }
    require_config(!bench_.sizes_bytes.empty(), "--sizes needs a size");
    comm::tcp::check_network(job_.communication.network);
    job_.communication.backend = "mpi";
    return job_;
  }

  void run(Process& process, comm::Communicator& communicator) override {
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

 private:
  trainer::Job job_;
  AllReduceBench bench_;
  std::string sizes_ = "4KB,64KB,1MB,16MB";
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Benchmark> make_all_reduce_benchmark() {
  return std::make_unique<AllReduceBenchmark>();
}

}  // namespace convoy::launch
