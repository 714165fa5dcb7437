// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/internal/gradient_exchange.h"

#include <algorithm>
#include <span>

#include "base/errors.h"
#include "trainer/parallel/internal/bucket_layout.h"

namespace convoy::trainer::internal {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<torch::Tensor> tensors_of(const std::vector<NamedTensor>& parameters) {
  std::vector<torch::Tensor> tensors;
  for (const auto& parameter : parameters) tensors.push_back(parameter.tensor);
  return tensors;
}

}  // namespace

GradientExchange::GradientExchange(std::vector<NamedTensor> parameters,
                                   std::unique_ptr<comm::Communicator> communicator,
                                   ReducerPtr reducer, const ExchangeOptions& options)
    : parameters_(std::move(parameters)),
      options_(options),
      communicator_(std::move(communicator)),
      reached_(parameters_.size()),
      packed_(parameters_.size()),
      thread_(*communicator_, std::move(reducer), options.placement.device),
      updates_(tensors_of(parameters_), [this](std::size_t parameter) { update(parameter); }),
      hooks_(tensors_of(parameters_), [this](std::size_t parameter) { on_ready(parameter); }) {
  ready_order_.reserve(parameters_.size());
  cut(complete_order({}, parameters_.size()));
}

void GradientExchange::cut(const std::vector<std::size_t>& order) {
  std::vector<std::int64_t> numels;
  std::vector<bool> compressed;
  for (const auto& [name, tensor] : parameters_) {
    const compress::Layer layer{
        .name = name, .shape = tensor.sizes().vec(), .numel = tensor.numel()};
    numels.push_back(layer.numel);
    compressed.push_back(thread_.reducer().compresses(layer));
  }
  const bool stays = thread_.reducer().works_on(options_.placement.memory);
  buckets_ = std::make_unique<GradientBuckets>(
      parameters_, cut_buckets(order, numels, compressed, options_.bucket_bytes),
      stays ? options_.placement : Placement());
}

void GradientExchange::rethrow_error() const {
  if (error_ != nullptr) std::rethrow_exception(error_);
}

void GradientExchange::begin_step(comm::Communicator& communicator) {
  std::ranges::fill(reached_, std::uint8_t{0});
  misuse_.reset();
  updates_.forget_unseen();
  if (order_is_final_ || !has_averaged_) return;
  // Rank 0 has seen no order yet when it had no samples; then all try again after the next step.
  const auto order = complete_order(ready_order_, parameters_.size());
  const auto message = std::make_shared<std::vector<std::int64_t>>(order.begin(), order.end());
  message->push_back(ready_order_.empty() ? 0 : 1);
  communicator.broadcast(comm::Buffer(std::span(*message), message), 0).wait();
  order_is_final_ = message->back() == 1;
  if (!order_is_final_) return;
  drain();
  updates_.forget_unseen();  // forward has not begun
  cut({message->begin(), message->end() - 1});
}

void GradientExchange::start() {
  rethrow_error();
  const std::lock_guard lock(mutex_);
  packed_.assign(parameters_.size(), false);
  missing_.resize(buckets_->size());
  for (std::size_t i = 0; i < missing_.size(); ++i) missing_[i] = buckets_->bucket(i).layers.size();
  tickets_.clear();
  ready_order_.clear();
  buckets_->set_loss_scale(loss_scale_);
  thread_.begin_step(step_++);
  has_averaged_ = true;
  filling_ = true;
}

void GradientExchange::on_ready(std::size_t parameter) {
  const std::lock_guard lock(mutex_);
  reached_[parameter] = 1;
  if (updates_.was_unseen(parameter)) {
    misuse_ = parameters_[parameter].name +
              ": forward used it in a way that cannot be seen, before its average was applied; "
              "train such a model with Overlap::kBackward (overlap = true)";
  }
  if (!filling_) return;
  if (packed_[parameter]) {
    misuse_ = parameters_[parameter].name +
              ": backward computed this gradient twice; run the parts in a NoSync (re-entrant "
              "checkpointing is not supported)";
    return;
  }
  buckets_->pack(parameter);
  ready_order_.push_back(parameter);
  mark_packed(parameter);
  if (options_.overlap != Overlap::kOff) submit_complete();
}

void GradientExchange::mark_packed(std::size_t parameter) {
  packed_[parameter] = true;
  --missing_[buckets_->bucket_of(parameter)];
}

void GradientExchange::submit_complete() {
  while (tickets_.size() < missing_.size() && missing_[tickets_.size()] == 0) {
    const std::size_t next = tickets_.size();
    // Forward tends to use layers in the reverse of the order in which backward leaves them.
    const std::size_t priority =
        options_.overlap == Overlap::kNextForward ? missing_.size() - 1 - next : next;
    tickets_.push_back(thread_.submit(buckets_->bucket(next), static_cast<int>(priority)));
  }
}

void GradientExchange::finish() {
  pack_rest();
  if (options_.overlap == Overlap::kNextForward && !misuse_) return updates_.start();
  const auto begin = Clock::now();
  const TimedSpan exposed(timeline_, Phase::kExposed, "");
  try {
    wait_for_all();
    deliver();
  } catch (...) {
    error_ = std::current_exception();
    throw;
  }
  times_.waited += Clock::now() - begin;
  if (!misuse_) return;
  abandon(std::make_exception_ptr(ContractError(*misuse_)));
  std::rethrow_exception(error_);
}

void GradientExchange::drain() {
  if (!updates_.pending()) return;
  try {
    updates_.drain();
    const auto begin = Clock::now();
    const TimedSpan exposed(timeline_, Phase::kExposed, "");
    wait_for_all();
    times_.waited += Clock::now() - begin;
  } catch (...) {
    error_ = std::current_exception();
    throw;
  }
}

void GradientExchange::update(std::size_t parameter) {
  const auto begin = Clock::now();
  thread_.wait(tickets_[buckets_->bucket_of(parameter)]);
  const auto arrived = Clock::now();
  buckets_->deliver(parameter);
  options_.update(parameter);
  const auto end = Clock::now();
  times_.waited += arrived - begin;
  times_.updating += end - arrived;
  if (timeline_ == nullptr) return;
  timeline_->add({Phase::kExposed, parameters_[parameter].name, begin, arrived});
  timeline_->add({Phase::kOptimizer, parameters_[parameter].name, arrived, end});
}

void GradientExchange::watch(Timeline* timeline) {
  timeline_ = timeline;
  reducer().watch(timeline);
}

void GradientExchange::wait_for_all() {
  thread_.wait();
  nonfinite_ = thread_.nonfinite();
  planning_bytes_ = thread_.reducer().traffic().planning_bytes;
}

void GradientExchange::pack_rest() {
  const std::lock_guard lock(mutex_);
  filling_ = false;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (packed_[i]) continue;
    buckets_->pack_aside(i);
    mark_packed(i);
  }
  submit_complete();
  thread_.finish_step();
}

void GradientExchange::deliver() {
  const auto reached = options_.find_unused ? reached_by_any() : std::vector<std::uint8_t>();
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (reached.empty() || reached[i] != 0) {
      buckets_->deliver(i);
    } else {
      thread_.reducer().discard_layer(parameters_[i].name);
    }
  }
}

std::vector<std::uint8_t> GradientExchange::reached_by_any() {
  // The thread is idle here, so that its communicator is free.
  const auto reached = std::make_shared<std::vector<std::uint8_t>>(reached_);
  communicator_->all_reduce(comm::Buffer(std::span(*reached), reached), comm::ReduceOp::kMax)
      .wait();
  return *reached;
}

void GradientExchange::abandon(std::exception_ptr error) {
  const std::lock_guard lock(mutex_);
  filling_ = false;
  error_ = std::move(error);
}

std::vector<std::string> GradientExchange::unreached() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (reached_[i] == 0) names.push_back(parameters_[i].name);
  }
  return names;
}

std::uint64_t GradientExchange::bytes_sent() const {
  // The reducer's own count of planning belongs to the thread until all is waited for.
  return communicator_->bytes_sent() + thread_.reducer().own_bytes_sent() + planning_bytes_;
}

std::vector<std::vector<std::string>> GradientExchange::layout() const {
  std::vector<std::vector<std::string>> names(buckets_->size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (const auto& layer : buckets_->bucket(i).layers) names[i].push_back(layer.name);
  }
  return names;
}

}  // namespace convoy::trainer::internal
