// SPDX-License-Identifier: Apache-2.0
#include "launch/bench/step.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "base/file.h"
#include "comm/values.h"
#include "compress/compression_config.h"
#include "launch/bench/one_batch.h"
#include "launch/bench/sleeping_model.h"
#include "launch/bench/statistics.h"
#include "trainer/geometry.h"
#include "trainer/metrics/phase_times.h"
#include "trainer/models/model.h"
#include "trainer/optim/optimizer.h"
#include "trainer/parallel_setup.h"
#include "trainer/precision.h"
#include "trainer/step_runner.h"
#include "trainer/stopwatch.h"
#include "trainer/together.h"
#include "trainer/trace_recorder.h"

namespace convoy::launch {
namespace {

/// Steps alone, then steps together.
struct Turn {
  std::int64_t alone = 0;
  std::int64_t together = 0;
};

/// How the two kinds take turns: short ones, because the machine's speed drifts.
struct Schedule {
  std::int64_t warm_up = 3;  ///< steps together that are not counted
  std::vector<Turn> turns;
  bool is_mean = false;
  /// Steps before each turn together that are not timed: with overlap = "next_forward" a turn then
  /// begins, as it ends, with averages under way.
  std::int64_t lead_in = 0;

  [[nodiscard]] std::int64_t lead_ins() const { return lead_in * std::ssize(turns); }
  [[nodiscard]] std::int64_t together() const {
    return std::accumulate(turns.begin(), turns.end(), std::int64_t{0},
                           [](auto sum, const Turn& turn) { return sum + turn.together; });
  }
};

constexpr Turn kTurn{4, 8};

/// Whole cycles of planning, from one plan's first step to the next one's. Nobody computes alone
/// between a window and the plan that is made from it: planning goes on meanwhile.
Schedule cycles(const compress::CompressionConfig& config, std::int64_t steps) {
  const std::int64_t cycle = config.adapt_every;
  const std::int64_t busy = std::min(config.plan_lag + 1, cycle);
  Schedule schedule{.warm_up = config.warmup_steps + cycle + config.plan_lag + 1, .is_mean = true};
  const std::int64_t count = std::max<std::int64_t>(2, (steps + cycle - 1) / cycle);
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t left = cycle;
    for (; left - kTurn.together >= busy; left -= kTurn.together) schedule.turns.push_back(kTurn);
    schedule.turns.push_back({kTurn.alone, left});
  }
  return schedule;
}

Schedule schedule_of(const StepBench& bench, int ranks) {
  const auto& config = bench.job.compression;
  if (ranks > 1 && compress::plans_levels(config)) return cycles(config, bench.steps);
  Schedule schedule{.warm_up = config.warmup_steps + 3,
                    .lead_in = bench.job.communication.overlap == "next_forward" ? 1 : 0};
  for (std::int64_t left = bench.steps; left > 0; left -= kTurn.together) {
    schedule.turns.push_back({std::min(left, kTurn.together), std::min(left, kTurn.together)});
  }
  return schedule;
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
        amp_(bench.job.train.amp),
        model_(build_model(bench, data)),
        optimizer_(bench.job.train.optimizer, model_->parameters()),
        batch_(data.get(
            std::vector<std::int64_t>(static_cast<std::size_t>(bench.job.train.batch_size)), 0)) {}

  trainer::StepSeconds step() {
    trainer::StepSeconds seconds;
    trainer::Stopwatch watch;
    optimizer_.zero_grad();
    const auto loss = trainer::forward_loss(amp_, data_.info().task, *model_, batch_);
    seconds.forward = watch.lap();
    loss.backward();
    seconds.backward = watch.lap();
    optimizer_.step();
    seconds.optimizer = watch.lap();
    return seconds;
  }

 private:
  const OneBatch& data_;
  const std::string& amp_;
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
                  trainer::parallel_options(bench.job, optimizer_),
                  trainer::reducer_of(bench.job, {}, bench.host)),
        geometry_(bench.job.train, data.size(), communicator.size()),
        runner_(communicator, *model_, parallel_, optimizer_, data, geometry_, bench.job, nullptr),
        learning_rate_(bench.job.train.optimizer.lr) {}

  trainer::StepResult step() {
    const trainer::StepPosition position{step_, 0, step_};
    ++step_;
    return runner_.run(position, learning_rate_);
  }
  /// Ends what overlap = "next_forward" has left to a next step. @return seconds of waiting.
  double drain() { return runner_.drain(); }
  [[nodiscard]] trainer::DataParallel& parallel() { return parallel_; }
  /// After drain().
  void watch(Timeline* timeline) {
    parallel_.watch(timeline);
    runner_.watch(timeline);
  }

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
        schedule_(schedule_of(bench, communicator.size())),
        data_(bench.job.model.name, bench.job.train.batch_size,
              bench.job.train.batch_size * communicator.size() *
                  (schedule_.warm_up + schedule_.lead_ins() + schedule_.together()),
              bench.job.run.seed + static_cast<std::uint64_t>(communicator.rank())),
        alone_(bench, data_),
        together_(communicator, bench, data_) {
    if (bench.trace.empty()) return;
    trainer::together(communicator, [&] {
      if (communicator.rank() == 0) require_writable(bench.trace);
    });
    const std::int64_t measured = schedule_.lead_ins() + schedule_.together();
    const trainer::StepRange steps{schedule_.warm_up, schedule_.warm_up + measured};
    trace_.emplace(communicator, bench.trace, trainer::traced_steps({.file = bench.trace}, steps));
  }

  StepReport run() {
    for (int i = 0; i < 2; ++i) (void)alone_.step();
    for (std::int64_t i = 0; i < schedule_.warm_up; ++i) (void)together_.step();
    (void)together_.drain();
    auto& reducer = together_.parallel().reducer();
    reducer.watch(&timeline_);
    if (trace_) together_.watch(&timeline_);
    const auto before = reducer.traffic();
    const auto bytes_before = together_.parallel().bytes_sent();
    for (const Turn& turn : schedule_.turns) take(turn);
    report_.bytes = static_cast<double>(together_.parallel().bytes_sent() - bytes_before);
    report_.dense_bytes = static_cast<double>(reducer.traffic().dense_bytes - before.dense_bytes);
    together_.watch(nullptr);
    if (trace_) trace_->write();
    return summarize();
  }

 private:
  void take(const Turn& turn) {
    trainer::Stopwatch watch;
    communicator_.barrier().wait();
    (void)watch.lap();
    double sum_alone = 0.0;
    for (std::int64_t i = 0; i < turn.alone; ++i) {
      add(alone_.step(), report_.alone.parts);
      alone_seconds_.push_back(watch.lap());
      sum_alone += alone_seconds_.back();
    }
    communicator_.barrier().wait();
    for (std::int64_t i = 0; i < schedule_.lead_in; ++i) (void)together_.step();
    (void)watch.lap();
    double sum_together = 0.0;
    for (std::int64_t i = 0; i < turn.together; ++i) {
      add(together_.step().seconds, report_.together.parts);
      if (i + 1 == turn.together) report_.together.parts.exposed += together_.drain();
      together_seconds_.push_back(watch.lap());
      sum_together += together_seconds_.back();
    }
    mean_alone_.push_back(sum_alone / static_cast<double>(turn.alone));
    mean_together_.push_back(sum_together / static_cast<double>(turn.together));
    add_phases();
  }

  void add_phases() {
    const auto spans = timeline_.take();
    if (trace_) trace_->add(spans);
    const auto seconds = trainer::phase_seconds(spans);
    for (const Phase phase : {Phase::kEncode, Phase::kWire, Phase::kDecode}) {
      const auto i = static_cast<std::size_t>(phase);
      report_.phases[i] += seconds[i];
    }
    report_.collectives +=
        static_cast<double>(std::ranges::count(spans, Phase::kWire, &Timeline::Span::phase));
  }

  static void add(const trainer::StepSeconds& step, StepParts& sums) {
    sums.forward += step.data + step.forward;
    sums.backward += step.backward;
    sums.optimizer += step.optimizer;
    sums.exposed += step.exposed;
  }

  void average(StepParts& parts, std::size_t steps) {
    for (double* part : {&parts.forward, &parts.backward, &parts.optimizer, &parts.exposed}) {
      *part = mean_of_ranks(*part) / static_cast<double>(steps);
    }
  }

  [[nodiscard]] std::vector<double> slowest(const std::vector<double>& own) {
    return comm::all_reduce_values(communicator_, own, comm::ReduceOp::kMax);
  }
  [[nodiscard]] double mean_of_ranks(double own) {
    return comm::all_reduce_value(communicator_, own) / communicator_.size();
  }

  void settle(StepTiming& timing, const std::vector<double>& own) {
    const auto seconds = slowest(own);
    timing.seconds = schedule_.is_mean ? mean(seconds) : median(seconds);
    timing.spread = spread(seconds);
    average(timing.parts, seconds.size());
  }

  StepReport summarize() {
    report_.steps = std::ssize(together_seconds_);
    report_.is_mean = schedule_.is_mean;
    settle(report_.alone, alone_seconds_);
    settle(report_.together, together_seconds_);
    report_.efficiency = report_.alone.seconds / report_.together.seconds;
    const auto alone = slowest(mean_alone_);
    const auto together = slowest(mean_together_);
    std::vector<double> ratios(alone.size());
    std::ranges::transform(alone, together, ratios.begin(), std::divides<>());
    report_.efficiency_spread = spread(ratios);
    const auto steps = static_cast<double>(report_.steps + schedule_.lead_ins());
    report_.collectives = mean_of_ranks(report_.collectives) / steps;
    report_.bytes = mean_of_ranks(report_.bytes) / steps;
    report_.dense_bytes = mean_of_ranks(report_.dense_bytes) / steps;
    for (double& seconds : report_.phases) seconds = mean_of_ranks(seconds) / steps;
    return report_;
  }

  comm::Communicator& communicator_;
  Schedule schedule_;
  OneBatch data_;
  Alone alone_;
  Timeline timeline_;  // outlives what it watches
  Together together_;
  std::optional<trainer::TraceRecorder> trace_;
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
