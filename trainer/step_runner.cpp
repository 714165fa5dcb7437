// SPDX-License-Identifier: Apache-2.0
#include "trainer/step_runner.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "base/random.h"
#include "comm/values.h"
#include "trainer/random_streams.h"

namespace convoy::trainer {
namespace {

constexpr const char* kNonfiniteAdvice =
    " (a smaller train.optimizer.lr, train.clip_norm or train.on_nonfinite = \"skip\" may help)";

}  // namespace

/// What the ranks tell each other once a step, in one small all-reduce that backward hides.
struct StepRunner::Vote {
  bool own_nonfinite = false;
  /// Loss times samples, ranks not finite, ranks asked to stop. Shared with the request.
  std::shared_ptr<std::array<double, 3>> sums = std::make_shared<std::array<double, 3>>();
  comm::Request request;

  void add_loss(double mean_loss, std::int64_t samples) {
    (*sums)[0] += mean_loss * static_cast<double>(samples);
    own_nonfinite = own_nonfinite || !std::isfinite(mean_loss);
  }
  void cast(comm::Communicator& communicator, bool stop) {
    (*sums)[1] = own_nonfinite ? 1.0 : 0.0;
    (*sums)[2] = stop ? 1.0 : 0.0;
    request = communicator.all_reduce(comm::Buffer(std::span(*sums), sums));
  }
};

StepRunner::StepRunner(comm::Communicator& communicator, Model& model, DataParallel& parallel,
                       Optimizer& optimizer, const Dataset& dataset, const Geometry& geometry,
                       const Job& job, const std::atomic<bool>* stop)
    : communicator_(communicator),
      model_(model),
      parallel_(parallel),
      optimizer_(optimizer),
      dataset_(dataset),
      geometry_(geometry),
      job_(job),
      stop_(stop),
      sampler_(dataset.size(), communicator.rank(), communicator.size(), job.train.batch_size,
               job.run.seed),
      scaler_(make_loss_scaler(job.train)),
      next_forward_(job.communication.overlap == "next_forward") {
  if (job.train.balance == "speed") balance_.emplace(communicator, sampler_.global_batch());
  if (job.train.on_nonfinite != "skip" && !scaler_.active()) return;
  for (const auto& buffer : model.buffers()) saved_buffers_.push_back(buffer.tensor.clone());
}

StepResult StepRunner::run(const StepPosition& position, double learning_rate) {
  result_ = {};
  if (balance_) balance_parts(position.step);
  (void)watch_.lap();
  if (timeline_ != nullptr) timeline_->begin_step(position.step);
  const auto [begin, end] = geometry_.batches_of_step(position.step_in_epoch);
  std::int64_t own_samples = 0;
  int first_rank = communicator_.size() - 1;
  for (std::int64_t batch = begin; batch < end; ++batch) {
    const Share share = sampler_.share(position.epoch, batch);
    first_rank = std::min(first_rank, share.first_rank);
    own_samples += static_cast<std::int64_t>(share.indices.size());
    result_.samples += share.global_samples;
  }
  if (!next_forward_) optimizer_.zero_grad();  // else each update does, for the next step
  parallel_.set_loss_scale(scaler_.scale());
  parallel_.begin_step(own_samples, result_.samples, first_rank);
  seen_ = {};
  add_lap(Phase::kData, result_.seconds.data);  // buckets may have been cut anew, after a drain
  Vote vote;
  for (std::int64_t batch = begin; batch < end; ++batch) {
    micro_batch(position, batch, batch + 1 == end, vote);
  }
  update(position, learning_rate, vote);
  return result_;
}

void StepRunner::balance_parts(std::int64_t step) {
  if (step > 0 && step % job_.train.balance_every == 0) (void)balance_->rebalance();
  sampler_.set_parts(balance_->parts());
}

void StepRunner::micro_batch(const StepPosition& position, std::int64_t batch, bool last,
                             Vote& vote) {
  const Share share = sampler_.share(position.epoch, batch);
  if (share.indices.empty()) {
    take_part_empty(last, vote);
    return;
  }
  const std::uint64_t augment_key =
      job_.data.augment
          ? mix({job_.run.seed, kAugmentStream, static_cast<std::uint64_t>(position.epoch)})
          : 0;
  const StepSeconds before = result_.seconds;
  emulate_slowness(std::ssize(share.indices));
  train_on(dataset_.get(share.indices, augment_key).to(model_.device()), position, batch, last,
           vote);
  if (balance_) {
    balance_->add(std::ssize(share.indices), result_.seconds.computing() - before.computing());
  }
}

void StepRunner::emulate_slowness(std::int64_t samples) const {
  const auto& seconds = job_.train.emulate_sample_seconds;
  const auto rank = static_cast<std::size_t>(communicator_.rank());
  if (rank >= seconds.size()) return;
  std::this_thread::sleep_for(
      std::chrono::duration<double>(seconds[rank] * static_cast<double>(samples)));
}

void StepRunner::train_on(const Batch& batch, const StepPosition& position, std::int64_t index,
                          bool last, Vote& vote) {
  model_.seed_dropout(
      mix({job_.run.seed, kDropoutStream, static_cast<std::uint64_t>(communicator_.rank()),
           static_cast<std::uint64_t>(position.epoch), static_cast<std::uint64_t>(index)}));
  result_.seconds.data += lap(Phase::kData);
  const torch::Tensor loss = forward_loss(job_.train.amp, dataset_.info().task, model_, batch);
  parallel_.end_forward();
  settle_averages();
  vote.add_loss(loss.item<double>(), batch.samples());
  if (last) vote.cast(communicator_, stop_ != nullptr && *stop_);
  add_lap(Phase::kForward, result_.seconds.forward);

  std::optional<DataParallel::NoSync> no_sync;
  if (!last) no_sync.emplace(parallel_);
  parallel_.backward(loss, batch.samples());
  add_lap(Phase::kBackward, result_.seconds.backward);
}

void StepRunner::take_part_empty(bool last, Vote& vote) {
  settle_averages();
  if (last) vote.cast(communicator_, stop_ != nullptr && *stop_);
  model_.empty_step();
  add_lap(Phase::kForward, result_.seconds.forward);
  if (!last) return;
  parallel_.backward_empty();
  add_lap(Phase::kBackward, result_.seconds.backward);
}

double StepRunner::lap(Phase phase) {
  const auto begin = watch_.began();
  const double seconds = watch_.lap();
  if (timeline_ != nullptr) timeline_->add({phase, "", begin, watch_.began()});
  return seconds;
}

// Of a lap, what went into waiting and updates belongs there.
void StepRunner::add_lap(Phase phase, double& seconds) {
  const StepTimes now = parallel_.times();
  const double waited = static_cast<double>(now.exposed - seen_.exposed) * 1e-9;
  const double updated = static_cast<double>(now.update - seen_.update) * 1e-9;
  seen_ = now;
  result_.seconds.exposed += waited;
  result_.seconds.optimizer += updated;
  seconds += lap(phase) - waited - updated;
}

void StepRunner::settle_averages() {
  if (!unsettled_step_) return;
  parallel_.drain();
  const std::int64_t step = *std::exchange(unsettled_step_, std::nullopt);
  if (next_forward_ && parallel_.nonfinite()) throw_nonfinite_gradient(step);
  if (on_averaged_) on_averaged_(step + 1);
}

double StepRunner::drain() {
  (void)watch_.lap();
  settle_averages();
  return watch_.lap();
}

void StepRunner::update(const StepPosition& position, double learning_rate, Vote& vote) {
  vote.request.wait();
  result_.loss_sum = (*vote.sums)[0];
  result_.stop = (*vote.sums)[2] > 0;
  result_.seconds.exposed += lap(Phase::kExposed);
  const auto buffers = parallel_.buffers();
  const bool has_loss = (*vote.sums)[1] == 0;
  const bool has_gradients = next_forward_ || !parallel_.nonfinite();
  if (has_loss && !has_gradients && scaler_.back_off()) {
    leave_out();
  } else if (!has_loss || !has_gradients) {
    refuse_nonfinite(position, vote);
  } else {
    scaler_.grow();
    if (job_.train.clip_norm > 0) (void)optimizer_.clip(job_.train.clip_norm);
    optimizer_.set_learning_rate(learning_rate);
    if (!next_forward_) optimizer_.step();
  }
  unsettled_step_ = position.step;
  if (!next_forward_) settle_averages();
  result_.seconds.optimizer += lap(Phase::kOptimizer);
  parallel_.end_step();
  if (!result_.skipped) {
    const torch::NoGradGuard no_grad;
    for (std::size_t i = 0; i < saved_buffers_.size(); ++i)
      saved_buffers_[i].copy_(buffers[i].tensor);
  }
  result_.seconds.exposed += lap(Phase::kExposed);
}

void StepRunner::refuse_nonfinite(const StepPosition& position, const Vote& vote) {
  if (job_.train.on_nonfinite == "skip") return leave_out();
  if ((*vote.sums)[1] == 0) throw_nonfinite_gradient(position.step);
  const auto own = vote.own_nonfinite ? std::int32_t{communicator_.rank()}
                                      : std::numeric_limits<std::int32_t>::max();
  const auto first = comm::all_reduce_value(communicator_, own, comm::ReduceOp::kMin);
  throw std::runtime_error("the loss of rank " + std::to_string(first) + " is not finite in step " +
                           std::to_string(position.step + 1) + kNonfiniteAdvice);
}

void StepRunner::leave_out() {
  const torch::NoGradGuard no_grad;
  const auto buffers = parallel_.buffers();
  for (std::size_t i = 0; i < saved_buffers_.size(); ++i) {
    torch::Tensor buffer = buffers[i].tensor;
    buffer.copy_(saved_buffers_[i]);
  }
  result_.skipped = true;
  parallel_.discard_step();
}

void StepRunner::throw_nonfinite_gradient(std::int64_t step) const {
  const auto& [rank, layer] = *parallel_.nonfinite();
  const std::string place =
      rank == NonFinite::kSum ? " summed over ranks" : " on rank " + std::to_string(rank);
  throw std::runtime_error("the gradient of " + layer + place + " is not finite in step " +
                           std::to_string(step + 1) + kNonfiniteAdvice);
}

}  // namespace convoy::trainer
