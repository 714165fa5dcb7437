// SPDX-License-Identifier: Apache-2.0
// What data-parallel training keeps of the ranks' speed:
//   mpirun -n 2 build/bin/step_efficiency [--model resnet20] [--batch 64] [--blocks 15] [--steps 8]
//   [--bucket-mb 4] [--overlap backward] [--tcp]
// One JSON line from rank 0. "alone": forward, backward and optimizer on all ranks at the same
// time, communication off. "together": the same steps with DataParallel averaging. Blocks of the
// two take turns, so that a machine that slows down slows both; efficiency = alone / together. Each
// block comes after a step that is not timed, so that with next_forward it begins, as it ends, with
// averages under way.
#include <torch/torch.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/harness.h"
#include "comm/mpi/mpi.h"
#include "comm/tcp/tcp.h"
#include "trainer/loss.h"
#include "trainer/models/model.h"
#include "trainer/optim/optimizer.h"
#include "trainer/parallel/data_parallel.h"

namespace convoy {
namespace {

struct Options {
  std::string model = "resnet20";
  std::int64_t batch = 64;
  int blocks = 15;
  int steps = 8;
  double bucket_mb = 0.0;
  trainer::Overlap overlap = trainer::Overlap::kBackward;
  bool tcp = false;
};

/// A model with its optimizer and one batch of noise.
struct Worker {
  explicit Worker(const Options& options)
      : model(trainer::make_model({.name = options.model},
                                  {trainer::Task::kClassify, {3, 32, 32}, 10}, 1)),
        optimizer({.lr = 1e-3}, model->parameters()),
        inputs(torch::randn({options.batch, 3, 32, 32})),
        targets(torch::randint(10, {options.batch}, torch::kInt64)),
        samples(options.batch) {
    model->train(true);
  }
  torch::Tensor loss() {
    return trainer::mean_loss(trainer::Task::kClassify, model->forward(inputs), targets);
  }

  std::unique_ptr<trainer::Model> model;
  trainer::Optimizer optimizer;
  torch::Tensor inputs;
  torch::Tensor targets;
  std::int64_t samples;
};

void step_alone(Worker& worker) {
  worker.optimizer.zero_grad();
  worker.loss().backward();
  worker.optimizer.step();
}

void step_together(const Options& options, Worker& worker, trainer::DataParallel& parallel,
                   int ranks) {
  const bool next_forward = options.overlap == trainer::Overlap::kNextForward;
  if (!next_forward) worker.optimizer.zero_grad();
  parallel.begin_step(worker.samples, worker.samples * ranks);
  parallel.backward(worker.loss());
  if (!next_forward) worker.optimizer.step();
  parallel.end_step();
}

trainer::DataParallelOptions parallel_options(const Options& options, Worker& worker) {
  trainer::DataParallelOptions result;
  if (options.bucket_mb > 0) {
    result.bucket_bytes = static_cast<std::size_t>(options.bucket_mb * (1 << 20));
  }
  result.overlap = options.overlap;
  result.update = [&worker](std::size_t parameter) {
    worker.optimizer.step(parameter);
    worker.optimizer.zero_grad(parameter);
  };
  return result;
}

void report(const Options& options, int ranks, const std::vector<double>& alone,
            const std::vector<double>& together, const trainer::StepTimes& times) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < alone.size(); ++i) ratios.push_back(alone[i] / together[i]);
  const bench::Timing a = bench::summarize(alone);
  const bench::Timing b = bench::summarize(together);
  const bench::Timing ratio = bench::summarize(ratios);
  std::printf(
      "{\"bench\":\"step_efficiency\",\"model\":\"%s\",\"batch\":%lld,\"ranks\":%d,%s,%s,"
      "\"samples_per_second\":%.1f,\"exposed_ms_last\":%.3f,\"efficiency\":%.4f,"
      "\"efficiency_spread\":%.4f}\n",
      options.model.c_str(), static_cast<long long>(options.batch), ranks,
      bench::to_json("alone", a).c_str(), bench::to_json("together", b).c_str(),
      static_cast<double>(options.batch * ranks) / b.median,
      static_cast<double>(times.exposed) * 1e-6, ratio.median, ratio.spread);
}

void run(comm::Communicator& world, const Options& options) {
  Worker alone(options);
  Worker shared(options);
  trainer::DataParallel parallel(world, shared.model->parameters(), shared.model->buffers(),
                                 parallel_options(options, shared));
  std::vector<double> alone_seconds;
  std::vector<double> together_seconds;
  for (int block = -1; block < options.blocks; ++block) {
    const double a = bench::time_slowest(world, [&] {
      for (int i = 0; i < options.steps; ++i) step_alone(alone);
    });
    step_together(options, shared, parallel, world.size());
    const double b = bench::time_slowest(world, [&] {
      for (int i = 0; i < options.steps; ++i) {
        step_together(options, shared, parallel, world.size());
      }
    });
    parallel.drain();
    if (block < 0) continue;  // warm-up
    alone_seconds.push_back(a / options.steps);
    together_seconds.push_back(b / options.steps);
  }
  if (world.rank() == 0) {
    report(options, world.size(), alone_seconds, together_seconds, parallel.times());
  }
}

}  // namespace
}  // namespace convoy

int main(int argc, char** argv) {
  convoy::Options options;
  CLI::App app("What data-parallel training keeps of the ranks' speed");
  app.add_option("--model", options.model, "a network of [model]");
  app.add_option("--batch", options.batch, "samples of one rank")->check(CLI::PositiveNumber);
  app.add_option("--blocks", options.blocks, "pairs of blocks")->check(CLI::PositiveNumber);
  app.add_option("--steps", options.steps, "steps in a block")->check(CLI::PositiveNumber);
  app.add_option("--bucket-mb", options.bucket_mb, "MiB sent at a time; default: as in job files");
  const std::map<std::string, convoy::trainer::Overlap> overlaps{
      {"off", convoy::trainer::Overlap::kOff},
      {"backward", convoy::trainer::Overlap::kBackward},
      {"next_forward", convoy::trainer::Overlap::kNextForward}};
  app.add_option("--overlap", options.overlap, "off, backward or next_forward")
      ->transform(CLI::CheckedTransformer(overlaps));
  app.add_flag("--tcp", options.tcp, "travel on connections of our own instead of MPI's");
  CLI11_PARSE(app, argc, argv);
  at::set_num_threads(1);
  convoy::comm::mpi::Environment environment;
  try {
    auto world = environment.world();
    if (options.tcp) world = convoy::comm::tcp::make(*world);
    convoy::run(*world, options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rank %d: %s\n", environment.rank(), error.what());
    environment.abort(1);
  }
  return 0;
}
