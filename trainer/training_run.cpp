// SPDX-License-Identifier: Apache-2.0
#include "trainer/training_run.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/errors.h"
#include "base/hash.h"
#include "base/log.h"
#include "comm/values.h"
#include "compress/reduce/make_reducer.h"
#include "trainer/chunk_setup.h"
#include "trainer/compression_state.h"
#include "trainer/optim/schedule.h"
#include "trainer/parallel/replicas.h"
#include "trainer/parallel_setup.h"
#include "trainer/straggler.h"
#include "trainer/together.h"

namespace convoy::trainer {
namespace {

/// Names the model and the data: what a checkpoint must agree on.
std::string identity_of(const Job& job, const Model& model, const Dataset& dataset) {
  std::string text =
      job.data.name + " " + std::to_string(dataset.size()) + " " + job.train.optimizer.name;
  for (const auto& parameter : model.parameters()) {
    text.append("\n").append(parameter.name);
    for (const auto size : parameter.tensor.sizes()) text.append(" ").append(std::to_string(size));
  }
  return to_hex(hash64(std::as_bytes(std::span(text))));
}

std::unique_ptr<Model> build_model(comm::Communicator& communicator, const Job& job,
                                   const DataInfo& info, torch::Device device) {
  std::unique_ptr<Model> model;
  together(communicator, [&] {
    model = make_model(job.model, info, job.run.seed);
    require_config(
        communicator.backend() != "local" || communicator.size() == 1 ||
            !model->draws_from_shared_generator(),
        "model.torchscript draws random numbers (dropout) from LibTorch's process-wide "
        "generator, which thread ranks would share: use communication.backend = \"mpi\"");
    model->to(device);
  });
  return model;
}

void copy_into(const std::vector<NamedTensor>& from, const std::vector<NamedTensor>& to,
               const char* what) {
  const torch::NoGradGuard no_grad;
  require_config(from.size() == to.size(), std::string("the checkpoint has other ") + what);
  for (std::size_t i = 0; i < from.size(); ++i) {
    require_config(from[i].name == to[i].name && from[i].tensor.sizes() == to[i].tensor.sizes(),
                   std::string("the checkpoint has other ") + what + ": " + from[i].name +
                       " where the model has " + to[i].name);
    torch::Tensor target = to[i].tensor;
    target.copy_(from[i].tensor);
  }
}

/// Where other ranks of the job may train on CPUs.
bool updates_on_host(const Job& job, const Placement& placement) {
  return job.run.device == "mixed" && placement.memory != comm::Device::kHost;
}

}  // namespace

TrainingRun::TrainingRun(comm::Communicator& communicator, const Job& job,
                         const RunRequest& request, Datasets datasets)
    : communicator_(communicator),
      job_(job),
      request_(request),
      datasets_(std::move(datasets)),
      geometry_(job.train, datasets_.train->size(), communicator.size()),
      model_(build_model(communicator, job, datasets_.train->info(), request.placement.device)),
      optimizer_(std::make_unique<Optimizer>(job.train.optimizer, model_->parameters(),
                                             updates_on_host(job, request.placement)
                                                 ? Optimizer::Where::kHost
                                                 : Optimizer::Where::kWithParameters)),
      checkpoints_(communicator, request.run_dir / "checkpoints", job.checkpoint,
                   identity_of(job, *model_, *datasets_.train)) {
  if (job.train.sync_batchnorm) {
    statistics_ = std::make_unique<CommunicatorStatistics>(communicator);
    model_->set_batch_statistics(statistics_.get());
  }
  summary_.ranks = communicator.size();
  std::vector<NamedTensor> compression_state;
  if (request.resume) compression_state = restore();
  settle_chunks();
  start_parallel(compression_state);
  runner_ = std::make_unique<StepRunner>(communicator, *model_, *parallel_, *optimizer_,
                                         *datasets_.train, geometry_, job, request.stop);
  times_ = std::make_unique<TimeWatch>(communicator, *parallel_, *runner_, request.trace,
                                       StepRange{position_.step, last_step()});
  runner_->on_averaged([this](std::int64_t steps_done) {
    compression_.after_step(parallel_->reducer(), steps_done);
    times_->after_averaging();
  });
  if (request.resume && runner_->balance() != nullptr) runner_->balance()->restore(balance_part_);
  runner_->scaler().restore(loss_scale_[0], static_cast<std::int64_t>(loss_scale_[1]));
  together(communicator, [&] { open_sinks(); });
}

void TrainingRun::settle_chunks() {
  if (job_.communication.chunk_kb != 0) {
    summary_.chunk_kb = job_.communication.chunk_kb;
    return;
  }
  std::size_t bytes = 0;
  for (const auto& parameter : model_->parameters()) bytes += parameter.tensor.nbytes();
  bytes = std::min(bytes, bucket_bytes(parallel_options(job_, *optimizer_)));
  chunk_kb_ = choose_chunks(communicator_, bytes, chunk_kb_);
  summary_.chunk_kb = static_cast<std::int64_t>(communicator_.options().chunk_bytes >> 10);
}

void TrainingRun::start_parallel(const std::vector<NamedTensor>& compression_state) {
  compress::ReducerFactory factory;
  together(communicator_, [&] {
    factory = reducer_of(job_, request_.replay_plans, request_.host, request_.placement.executors);
  });
  DataParallelOptions options = parallel_options(job_, *optimizer_);
  options.placement = request_.placement;
  parallel_ = std::make_unique<DataParallel>(communicator_, model_->parameters(), model_->buffers(),
                                             options, factory);
  optimizer_->values_changed();  // by a checkpoint, or to those of rank 0
  parallel_->set_next_step(position_.step);
  together(communicator_,
           [&] { parallel_->reducer().load_state(reducer_state(compression_state)); });
}

std::vector<NamedTensor> TrainingRun::restore() {
  auto state = checkpoints_.load(request_.checkpoint);
  require_config(
      state.has_value(),
      "nothing to resume: " + (request_.run_dir / "checkpoints").string() + " holds no checkpoint");
  copy_into(state->parameters, model_->parameters(), "parameters");
  copy_into(state->buffers, model_->buffers(), "buffers");
  optimizer_->load_state(state->optimizer);
  position_ = {state->step, state->epoch, geometry_.step_of_position(state->position)};
  summary_.samples = static_cast<std::int64_t>(state->counters["samples"]);
  summary_.seconds = state->counters["seconds"];
  summary_.skipped_steps = static_cast<std::int64_t>(state->counters["skipped_steps"]);
  bytes_before_ = static_cast<std::uint64_t>(state->counters["bytes_sent"]);
  balance_part_ = static_cast<std::int64_t>(state->counters["balance_part"]);
  chunk_kb_ = static_cast<std::int64_t>(state->counters["chunk_kb"]);
  loss_scale_ = comm::broadcast_values(
      communicator_,
      std::vector{state->counters["loss_scale"], state->counters["loss_scale_good_steps"]}, 0);
  meter_ = IntervalMeter(bytes_before_);
  compression_.restore(state->counters);
  saved_step_ = state->step;
  return std::move(state->rank_tensors);
}

void TrainingRun::open_sinks() {
  if (communicator_.rank() != 0) return;
  if (job_.metrics.jsonl) {
    sinks_.push_back(make_jsonl_sink(request_.run_dir / "metrics.jsonl", position_.step));
  }
  if (job_.metrics.tensorboard) {
    sinks_.push_back(make_tensorboard_sink(request_.run_dir / "tensorboard", position_.step));
  }
  if (job_.compression.family != "none") {
    compression_.open(request_.run_dir, position_.step, job_.compression.shadow_steps > 0);
  }
  if (job_.metrics.layers) {
    times_->open_layers(request_.run_dir / "layers.jsonl", position_.step);
  }
  if (request_.quiet) return;
  auto progress = std::make_unique<Progress>(last_step(), position_.step, stderr);
  progress_ = progress.get();
  sinks_.push_back(std::move(progress));
}

Summary TrainingRun::run() {
  while (!finished() && !summary_.interrupted) one_step();
  return finish();
}

bool TrainingRun::finished() const { return schedule_step() >= geometry_.total_steps(); }

std::int64_t TrainingRun::schedule_step() const {
  // With a given number of steps they are counted; with epochs the place in the data counts, which
  // another number of ranks divides into other steps.
  if (job_.train.steps > 0) return position_.step;
  return position_.epoch * geometry_.steps_per_epoch() + position_.step_in_epoch;
}

std::int64_t TrainingRun::last_step() const {
  return position_.step + geometry_.total_steps() - schedule_step();
}

void TrainingRun::one_step() {
  if (times_->switches_before(position_.step)) {
    drain();
    times_->switch_over(position_.step);
  }
  learning_rate_ = trainer::learning_rate(job_.train.schedule, job_.train.optimizer.lr,
                                          schedule_step(), geometry_.total_steps());
  const StepResult result = runner_->run(position_, learning_rate_);
  times_->after_step();
  meter_.add(result);
  summary_.samples += result.samples;
  summary_.seconds += result.seconds.total();
  summary_.skipped_steps += result.skipped ? 1 : 0;
  summary_.interrupted = result.stop;
  advance();
  if (progress_ != nullptr) {
    progress_->step(position_.step, result.loss_sum / static_cast<double>(result.samples),
                    static_cast<double>(result.samples) / result.seconds.total(),
                    compression_.ratio());
  }
  const auto due = [&](std::int64_t every) { return every > 0 && position_.step % every == 0; };
  if (due(job_.run.verify_replicas_every)) {
    drain();
    verify_replicas(communicator_, model_->parameters());
    verify_replicas(communicator_, model_->buffers());
  }
  if (due(job_.metrics.every_steps)) report_interval();
  evaluate_if_due(position_.step_in_epoch == 0);
  if (due(job_.checkpoint.every_steps)) save_checkpoint();
}

// What reads the parameters, or compression's memory, comes after all updates.
void TrainingRun::drain() { summary_.seconds += runner_->drain(); }

void TrainingRun::advance() {
  ++position_.step;
  if (++position_.step_in_epoch < geometry_.steps_per_epoch()) return;
  position_.step_in_epoch = 0;
  ++position_.epoch;
}

void TrainingRun::report_interval() {
  const std::int64_t steps = meter_.steps();
  if (steps == 0) return;
  std::optional<Straggler> straggler;
  // Ranks that wait for each other inside a layer all seem equally slow.
  if (communicator_.size() > 1 && !job_.train.sync_batchnorm) {
    straggler = find_straggler(communicator_, meter_.seconds(), steps);
  }
  IntervalMetrics metrics = meter_.take(bytes_sent());
  metrics.straggler = straggler;
  metrics.step = position_.step;
  metrics.epoch = position_.epoch;
  metrics.seconds = summary_.seconds;
  metrics.learning_rate = learning_rate_;
  compression_.fill(metrics);
  if (runner_->balance() != nullptr) metrics.parts = runner_->balance()->parts();
  times_->report(metrics, steps);
  summary_.train_loss = metrics.loss;
  for (const auto& sink : sinks_) sink->interval(metrics);
}

void TrainingRun::evaluate_if_due(bool epoch_ended) {
  const std::int64_t every = job_.train.evaluate_every;
  if (epoch_ended && every > 0 && position_.epoch % every == 0) evaluate();
}

void TrainingRun::evaluate() {
  drain();
  const Evaluation found =
      evaluate_model(communicator_, *model_, *datasets_.test, job_.train.evaluate_batch);
  summary_.loss = found.loss;
  summary_.accuracy = found.accuracy;
  evaluated_step_ = position_.step;
  for (const auto& sink : sinks_) {
    sink->evaluation({position_.step, position_.epoch, found.loss, found.accuracy});
  }
}

std::uint64_t TrainingRun::bytes_sent() const {
  return bytes_before_ + communicator_.bytes_sent() + parallel_->bytes_sent() +
         (statistics_ ? statistics_->bytes_sent() : 0);
}

void TrainingRun::save_checkpoint() {
  drain();
  if (saved_step_ == position_.step) return;
  TrainingState state;
  state.step = position_.step;
  state.epoch = position_.epoch;
  state.position = geometry_.position_of_step(position_.step_in_epoch);
  state.parameters = model_->parameters();
  state.buffers = model_->buffers();
  state.optimizer = optimizer_->state();
  state.rank_tensors = to_tensors(parallel_->reducer().state());
  compression_.save(state.counters);
  if (const auto* balance = runner_->balance()) {
    const auto rank = static_cast<std::size_t>(communicator_.rank());
    state.counters["balance_part"] = static_cast<double>(balance->parts()[rank]);
  }
  state.counters["bytes_sent"] = static_cast<double>(bytes_sent());
  if (communicator_.rank() == 0) {
    state.counters["samples"] = static_cast<double>(summary_.samples);
    state.counters["seconds"] = summary_.seconds;
    state.counters["chunk_kb"] = static_cast<double>(chunk_kb_);
    state.counters["skipped_steps"] = static_cast<double>(summary_.skipped_steps);
    state.counters["loss_scale"] = runner_->scaler().scale();
    state.counters["loss_scale_good_steps"] = static_cast<double>(runner_->scaler().good_steps());
  }
  checkpoints_.save(state);
  saved_step_ = position_.step;
}

Summary TrainingRun::finish() {
  drain();
  times_->finish();
  report_interval();
  save_checkpoint();  // first: whoever interrupts a run does not wait for an evaluation
  if (evaluated_step_ != position_.step) evaluate();
  verify_replicas(communicator_, model_->parameters());
  summary_.bytes_sent = static_cast<std::uint64_t>(
      comm::all_reduce_value(communicator_, static_cast<std::int64_t>(bytes_sent())));
  summary_.compression_ratio = compression_.ratio_of_all(communicator_);
  summary_.steps = position_.step;
  summary_.epochs = position_.epoch;
  summary_.parameters_hash = to_hex(parameters_hash(model_->parameters()));
  summary_.samples_per_second =
      summary_.seconds > 0 ? static_cast<double>(summary_.samples) / summary_.seconds : 0.0;
  together(communicator_, [&] {
    if (communicator_.rank() == 0) model_->save((request_.run_dir / "model.pt").string());
  });
  return summary_;
}

}  // namespace convoy::trainer
