// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/local_training.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "trainer/evaluation.h"
#include "trainer/optim/optimizer.h"
#include "trainer/optim/schedule.h"

namespace convoy::trainer {
namespace {

/// A gradient of zeros is not the same as none: weight decay and momentum would move parameters
/// that this client's loss does not reach.
void forget_gradients(const std::vector<NamedTensor>& parameters) {
  for (const auto& [name, tensor] : parameters) tensor.mutable_grad().reset();
}

/// Where a model is; the same tensors if they are there already.
ModelState on(torch::Device device, const ModelState& state) {
  const auto moved = [&](std::vector<torch::Tensor> tensors) {
    for (auto& tensor : tensors) tensor = tensor.to(device);
    return tensors;
  };
  return {.parameters = moved(state.parameters), .buffers = moved(state.buffers)};
}

ModelUpdate difference(const Model& model, const ModelState& start) {
  const torch::NoGradGuard no_grad;
  ModelState trained = copy_state(model);
  for (std::size_t i = 0; i < trained.parameters.size(); ++i) {
    trained.parameters[i].sub_(start.parameters[i]);
  }
  trained = on(torch::kCPU, trained);
  return {.delta = std::move(trained.parameters), .buffers = std::move(trained.buffers)};
}

}  // namespace

LocalTrainer::LocalTrainer(std::unique_ptr<Model> model, const Dataset& dataset,
                           LocalTrainingConfig config)
    : model_(std::move(model)),
      dataset_(dataset),
      config_(std::move(config)),
      parameters_(model_->parameters()),
      plain_(config_.augment, config_.amp) {
  check_config(config_.optimizer);
  check_config(config_.schedule);
}

LocalResult LocalTrainer::run(ClientData& client, const ModelState& given, std::int64_t steps,
                              const KeepGoing& keep_going, std::int64_t updates, RoundRule* rule) {
  require(steps >= 1, "LocalTrainer::run: at least one step");
  const ModelState start = on(model_->device(), given);
  put_state(start, *model_);
  model_->train(true);
  forget_gradients(parameters_);
  Optimizer optimizer(config_.optimizer, parameters_);
  optimizer.set_learning_rate(round_rate(updates));
  RoundRule& by = rule != nullptr ? *rule : plain_;
  steps = by.begin(steps);
  LocalResult result;
  double loss_sum = 0.0;
  bool left = false;  // such a round is of no use to anybody
  const auto go_on = [&] {
    left = result.steps > 0 && keep_going && !keep_going();
    return !left;
  };
  while (result.steps < steps && result.finite && go_on()) {
    optimizer.zero_grad();
    const StepDone done = by.gradient(*model_, dataset_, client);
    add_proximal_term(start);
    if (config_.clip_norm > 0.0) clip_gradients(parameters_, config_.clip_norm);
    optimizer.step();
    loss_sum += done.loss * static_cast<double>(done.samples);
    result.samples += done.samples;
    result.finite = done.finite;
    ++result.steps;
  }
  result.loss = loss_sum / static_cast<double>(std::max<std::int64_t>(result.samples, 1));
  result.update = difference(*model_, start);
  by.end(result);
  result.finite = result.finite && result.steps > 0 && is_finite(result.update);
  if (!left && !client.validation().empty()) {
    result.validation =
        evaluate_samples(*model_, dataset_, client.validation(), config_.evaluate_batch);
  }
  return result;
}

double LocalTrainer::round_rate(std::int64_t updates) const {
  const std::int64_t total = config_.total_updates > 0 ? config_.total_updates : updates + 1;
  // What is assigned after the last update that counts is as far as that one.
  return learning_rate(config_.schedule, config_.optimizer.lr, std::min(updates, total - 1), total);
}

void LocalTrainer::add_proximal_term(const ModelState& start) {
  if (config_.proximal <= 0.0) return;
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const torch::Tensor& parameter = parameters_[i].tensor;
    if (!parameter.grad().defined()) continue;
    parameter.mutable_grad().add_(parameter - start.parameters[i], config_.proximal);
  }
}

}  // namespace convoy::trainer
