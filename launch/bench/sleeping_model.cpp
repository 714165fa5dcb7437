// SPDX-License-Identifier: Apache-2.0
#include "launch/bench/sleeping_model.h"

#include <algorithm>
#include <thread>

#include "trainer/loss.h"

namespace convoy::launch {

/// A parameter, what its gradient is, and how long its layer takes.
struct SleepingModel::Layer {
  torch::Tensor parameter;
  torch::Tensor gradient;
  std::chrono::duration<double> forward{0.0};
  std::chrono::duration<double> backward{0.0};
};

namespace {

constexpr double kForwardShare = 1.0 / 3.0;

void sleep(std::chrono::duration<double> time) {
  if (time.count() > 0.0) std::this_thread::sleep_for(time);
}

/// Passes a scalar on; in backward it sleeps and brings the layer's gradient.
template <typename Layer>
struct SleepingLayer : torch::autograd::Function<SleepingLayer<Layer>> {
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& in,
                               const torch::Tensor& parameter, std::int64_t layer) {
    context->saved_data["layer"] = layer;
    (void)parameter;
    return in.clone();
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list from_above) {
    const auto* layer = reinterpret_cast<const Layer*>(context->saved_data["layer"].toInt());
    sleep(layer->backward);
    return {from_above[0], layer->gradient.clone(), torch::Tensor()};
  }
};

}  // namespace

SleepingModel::~SleepingModel() = default;

SleepingModel::SleepingModel(std::unique_ptr<trainer::Model> model, trainer::Task task,
                             const trainer::Batch& batch, std::chrono::duration<double> time)
    : model_(std::move(model)) {
  const auto outputs = model_->forward(batch.inputs);
  output_shape_ = outputs.sizes().vec();
  trainer::mean_loss(task, outputs, batch.targets).backward();
  std::int64_t matrices = 0;
  for (const auto& [name, parameter] : model_->parameters()) {
    matrices += parameter.dim() > 1 ? 1 : 0;
  }
  const auto share = time / static_cast<double>(std::max<std::int64_t>(matrices, 1));
  for (const auto& [name, parameter] : model_->parameters()) {
    if (!parameter.requires_grad() || !parameter.grad().defined()) continue;
    auto layer = std::make_unique<Layer>();
    layer->parameter = parameter;
    layer->gradient = parameter.grad().clone();
    if (parameter.dim() > 1) {
      layer->forward = share * kForwardShare;
      layer->backward = share * (1.0 - kForwardShare);
    }
    torch::Tensor(parameter).mutable_grad() = torch::Tensor();
    layers_.push_back(std::move(layer));
  }
}

torch::Tensor SleepingModel::forward(const torch::Tensor& inputs) {
  auto value = torch::zeros({}, torch::requires_grad());
  for (const auto& layer : layers_) {
    // Some operation on the parameter, as real layers have: who watches for its use sees it.
    (void)layer->parameter.detach().view({-1});
    sleep(layer->forward);
    value = SleepingLayer<Layer>::apply(value, layer->parameter,
                                        reinterpret_cast<std::int64_t>(layer.get()));
  }
  auto shape = output_shape_;
  shape.front() = inputs.size(0);
  return value.expand(shape);
}

}  // namespace convoy::launch
