// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/internal/random_init.h"

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <mutex>

#include "base/random.h"
#include "trainer/models/batch_norm.h"

namespace convoy::trainer::internal {
namespace {

constexpr double kEmbeddingDeviation = 0.02;

void fill_uniform(torch::Tensor tensor, double deviation, const at::Generator& generator) {
  const double bound = deviation * std::sqrt(3.0);
  tensor.uniform_(-bound, bound, generator);
}

void initialize_convolution(const torch::nn::Conv2dImpl& layer, const at::Generator& generator) {
  const auto fan_in = static_cast<double>(layer.weight[0].numel());
  fill_uniform(layer.weight, std::sqrt(2.0 / fan_in), generator);
  if (layer.bias.defined()) layer.bias.detach().zero_();
}

void initialize_linear(const torch::nn::LinearImpl& layer, const at::Generator& generator) {
  const double deviation = 1.0 / std::sqrt(3.0 * static_cast<double>(layer.weight.size(1)));
  fill_uniform(layer.weight, deviation, generator);
  if (layer.bias.defined()) fill_uniform(layer.bias, deviation, generator);
}

void initialize_norm(const torch::Tensor& weight, const torch::Tensor& bias) {
  weight.detach().fill_(1.0);
  bias.detach().zero_();
}

}  // namespace

at::Generator make_generator(std::uint64_t key) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>();
  seed_generator(generator, key);
  return generator;
}

void seed_generator(at::Generator& generator, std::uint64_t key) {
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_current_seed(mix({key}));
}

void initialize(torch::nn::Module& module, std::uint64_t seed) {
  const torch::NoGradGuard no_grad;
  const auto generator = make_generator(seed);
  for (const auto& part : module.modules()) {
    if (const auto* convolution = part->as<torch::nn::Conv2dImpl>()) {
      initialize_convolution(*convolution, generator);
    } else if (const auto* linear = part->as<torch::nn::LinearImpl>()) {
      initialize_linear(*linear, generator);
    } else if (const auto* batch_norm = part->as<BatchNormImpl>()) {
      initialize_norm(batch_norm->weight(), batch_norm->bias());
    } else if (const auto* layer_norm = part->as<torch::nn::LayerNormImpl>()) {
      initialize_norm(layer_norm->weight, layer_norm->bias);
    } else {
      for (const auto& own : part->parameters(/*recurse=*/false)) {
        fill_uniform(own, kEmbeddingDeviation, generator);
      }
    }
  }
}

}  // namespace convoy::trainer::internal
