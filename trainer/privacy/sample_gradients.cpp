// SPDX-License-Identifier: Apache-2.0
#include "trainer/privacy/sample_gradients.h"

#include "base/errors.h"
#include "trainer/precision.h"

namespace convoy::trainer::privacy {
namespace {

std::vector<torch::Tensor> gradients_of(const std::vector<NamedTensor>& parameters) {
  std::vector<torch::Tensor> gradients;
  for (const auto& [name, tensor] : parameters) gradients.push_back(tensor.grad());
  return gradients;
}

void forget_gradients(const std::vector<NamedTensor>& parameters) {
  for (const auto& [name, tensor] : parameters) tensor.mutable_grad().reset();
}

}  // namespace

void add_sample_gradients(Model& model, const Dataset& dataset,
                          std::span<const std::int64_t> samples,
                          const SampleGradientsConfig& config, Entropy& entropy, NoisySum& sum) {
  const auto parameters = model.parameters();
  for (std::size_t i = 0; i < samples.size(); ++i) {
    forget_gradients(parameters);
    model.seed_dropout(entropy.bits());
    const Batch one = dataset.get(samples.subspan(i, 1), config.augment ? entropy.bits() | 1U : 0);
    forward_loss(config.amp, dataset.info().task, model, one).backward();
    sum.add(flat_values(gradients_of(parameters), parameters));
  }
  forget_gradients(parameters);
}

void put_gradients(Model& model, std::span<const double> values, double factor) {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : model.parameters()) {
    const auto count = static_cast<std::size_t>(tensor.numel());
    require(count <= values.size(), "put_gradients: too few values");
    auto gradient = torch::empty(tensor.sizes(), torch::kDouble);
    double* out = gradient.data_ptr<double>();
    for (std::size_t i = 0; i < count; ++i) out[i] = factor * values[i];
    tensor.mutable_grad() = gradient.to(tensor.options().requires_grad(false));
    values = values.subspan(count);
  }
  require(values.empty(), "put_gradients: too many values");
}

std::vector<float> flat_values(const std::vector<torch::Tensor>& tensors,
                               const std::vector<NamedTensor>& like) {
  std::vector<float> values;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!tensors[i].defined()) {
      values.resize(values.size() + static_cast<std::size_t>(like[i].tensor.numel()));
      continue;
    }
    const auto flat = tensors[i].detach().to(torch::kCPU, torch::kFloat).contiguous();
    values.insert(values.end(), flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
  }
  return values;
}

}  // namespace convoy::trainer::privacy
