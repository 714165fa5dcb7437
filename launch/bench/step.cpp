// SPDX-License-Identifier: Apache-2.0
#include "launch/bench/step.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "comm/values.h"
#include "compress/compression_config.h"
#include "launch/bench/one_batch.h"
#include "launch/bench/sleeping_model.h"
#include "launch/bench/statistics.h"
#include "trainer/geometry.h"
#include "trainer/loss.h"
#include "trainer/models/model.h"
#include "trainer/optim/optimizer.h"
#include "trainer/parallel_setup.h"
#include "trainer/step_runner.h"
#include "trainer/stopwatch.h"

namespace convoy::launch {
namespace {

/// How steps of the two kinds take turns.
struct Turns {
  std::int64_t warm_up = 3;  ///< steps that are not counted
  std::int64_t count = 1;
  std::int64_t together = 8;  ///< steps of one turn
  std::int64_t alone = 8;
  bool is_mean = false;
};

Turns turns_of(const StepBench& bench, int ranks) {
  const auto& config = bench.job.compression;
  if (ranks > 1 && compress::plans_levels(config)) {
    // A turn is a whole cycle: it ends when the plan that was made in it is in effect, so that no
    // planning goes on while the ranks compute alone.
    const std::int64_t cycle = config.adapt_every;
    return {.warm_up = config.warmup_steps + cycle + config.plan_lag + 1,
            .count = std::max<std::int64_t>(2, (bench.steps + cycle - 1) / cycle),
            .together = cycle,
            .alone = std::clamp<std::int64_t>(cycle / 2, 1, 20),
            .is_mean = true};
  }
  Turns turns{.warm_up = config.warmup_steps + 3};
  turns.count = (bench.steps + turns.together - 1) / turns.together;
  return turns;
}

std::unique_ptr<trainer::Model> build_model(const StepBench& bench, const OneBatch& data) {
  auto model = trainer::make_model(bench.job.model, data.info(), bench.job.run.seed);
  model->train(true);
  if (!bench.sleep) return model;
  std::vector<std::int64_t> indices(static_cast<std::size_t>(bench.job.train.batch_size));
  return std::make_unique<SleepingModel>(std::move(model), data.info().task, data.get(indices, 0),
                                         *bench.sleep);
}

/// The same steps with nobody to wait for.
class Alone {
 public:
  Alone(const StepBench& bench, const OneBatch& data)
      : data_(data),
        model_(build_model(bench, data)),
        optimizer_(bench.job.train.optimizer, model_->parameters()),
        batch_(data.get(
            std::vector<std::int64_t>(static_cast<std::size_t>(bench.job.train.batch_size)), 0)) {}

  void step() {
    optimizer_.zero_grad();
    trainer::mean_loss(data_.info().task, model_->forward(batch_.inputs), batch_.targets)
        .backward();
    optimizer_.step();
  }

 private:
  const OneBatch& data_;
  std::unique_ptr<trainer::Model> model_;
  trainer::Optimizer optimizer_;
  trainer::Batch batch_;
};

/// The steps of a training run.
class Together {
 public:
  Together(comm::Communicator& communicator, const StepBench& bench, const OneBatch& data)
      : model_(build_model(bench, data)),
        optimizer_(bench.job.train.optimizer, model_->parameters()),
        parallel_(communicator, model_->parameters(), model_->buffers(),
                  trainer::parallel_options(bench.job), trainer::reducer_of(bench.job)),
        geometry_(bench.job.train, data.size(), communicator.size()),
        runner_(communicator, *model_, parallel_, optimizer_, data, geometry_, bench.job, nullptr),
        learning_rate_(bench.job.train.optimizer.lr) {}

  trainer::StepResult step() {
    const trainer::StepPosition position{step_, 0, step_};
    ++step_;
    return runner_.run(position, learning_rate_);
  }
  [[nodiscard]] trainer::DataParallel& parallel() { return parallel_; }

 private:
  std::unique_ptr<trainer::Model> model_;
  trainer::Optimizer optimizer_;
  trainer::DataParallel parallel_;
  trainer::Geometry geometry_;
  trainer::StepRunner runner_;
  double learning_rate_;
  std::int64_t step_ = 0;
};

class Measurement {
 public:
  Measurement(comm::Communicator& communicator, const StepBench& bench)
      : communicator_(communicator),
        turns_(turns_of(bench, communicator.size())),
        data_(bench.job.model.name, bench.job.train.batch_size,
              bench.job.train.batch_size * communicator.size() *
                  (turns_.warm_up + turns_.count * turns_.together),
              bench.job.run.seed + static_cast<std::uint64_t>(communicator.rank())),
        alone_(bench, data_),
        together_(communicator, bench, data_) {}

  StepReport run() {
    for (int i = 0; i < 2; ++i) alone_.step();
    for (std::int64_t i = 0; i < turns_.warm_up; ++i) (void)together_.step();
    auto& reducer = together_.parallel().reducer();
    reducer.watch(&timeline_);
    const auto before = reducer.traffic();
    const auto bytes_before = together_.parallel().bytes_sent();
    for (std::int64_t turn = 0; turn < turns_.count; ++turn) take_turn();
    report_.bytes = static_cast<double>(together_.parallel().bytes_sent() - bytes_before);
    report_.dense_bytes = static_cast<double>(reducer.traffic().dense_bytes - before.dense_bytes);
    reducer.watch(nullptr);
    return summarize();
  }

 private:
  void take_turn() {
    trainer::Stopwatch watch;
    communicator_.barrier().wait();
    (void)watch.lap();
    double sum_alone = 0.0;
    for (std::int64_t i = 0; i < turns_.alone; ++i) {
      alone_.step();
      alone_seconds_.push_back(watch.lap());
      sum_alone += alone_seconds_.back();
    }
    communicator_.barrier().wait();
    (void)watch.lap();
    double sum_together = 0.0;
    for (std::int64_t i = 0; i < turns_.together; ++i) {
      report_.exposed += together_.step().seconds.exposed;
      together_seconds_.push_back(watch.lap());
      sum_together += together_seconds_.back();
    }
    mean_alone_.push_back(sum_alone / static_cast<double>(turns_.alone));
    mean_together_.push_back(sum_together / static_cast<double>(turns_.together));
    for (const auto& span : timeline_.take()) {
      report_.phases[static_cast<std::size_t>(span.phase)] +=
          std::chrono::duration<double>(span.end - span.begin).count();
    }
  }

  [[nodiscard]] std::vector<double> slowest(const std::vector<double>& own) {
    return comm::all_reduce_values(communicator_, own, comm::ReduceOp::kMax);
  }
  [[nodiscard]] double mean_of_ranks(double own) {
    return comm::all_reduce_value(communicator_, own) / communicator_.size();
  }

  [[nodiscard]] StepTiming timing_of(const std::vector<double>& seconds) const {
    return {turns_.is_mean ? mean(seconds) : median(seconds), spread(seconds)};
  }

  StepReport summarize() {
    report_.steps = std::ssize(together_seconds_);
    report_.is_mean = turns_.is_mean;
    report_.alone = timing_of(slowest(alone_seconds_));
    report_.together = timing_of(slowest(together_seconds_));
    report_.efficiency = report_.alone.seconds / report_.together.seconds;
    const auto alone = slowest(mean_alone_);
    const auto together = slowest(mean_together_);
    std::vector<double> ratios(alone.size());
    std::ranges::transform(alone, together, ratios.begin(), std::divides<>());
    report_.efficiency_spread = spread(ratios);
    const auto steps = static_cast<double>(report_.steps);
    report_.exposed = mean_of_ranks(report_.exposed) / steps;
    report_.bytes = mean_of_ranks(report_.bytes) / steps;
    report_.dense_bytes = mean_of_ranks(report_.dense_bytes) / steps;
    for (double& seconds : report_.phases) seconds = mean_of_ranks(seconds) / steps;
    return report_;
  }

  comm::Communicator& communicator_;
  Turns turns_;
  OneBatch data_;
  Alone alone_;
  Together together_;
  Timeline timeline_;
  StepReport report_;
  std::vector<double> alone_seconds_;
  std::vector<double> together_seconds_;
  std::vector<double> mean_alone_;  // of each turn
  std::vector<double> mean_together_;
};

}  // namespace

StepReport measure_steps(comm::Communicator& communicator, const StepBench& bench) {
  return Measurement(communicator, bench).run();
}

}  // namespace convoy::launch
