// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/random.h"
#include "comm/local/local.h"
#include "trainer/parallel/data_parallel.h"

namespace convoy::tests {

/// Makes what LibTorch makes at its first use, before there are threads: it guards that well, but
/// out of ThreadSanitizer's sight.
inline void warm_up_libtorch() { (void)at::detail::getDefaultCPUGenerator(); }

/// Runs `body` on thread ranks with one LibTorch thread each.
inline void run_ranks(int ranks, const std::function<void(comm::Communicator&)>& body,
                      const comm::CommunicatorOptions& options = {
                          .timeout = std::chrono::seconds(20)}) {
  warm_up_libtorch();
  comm::local::run(
      ranks,
      [&](comm::Communicator& communicator) {
        at::set_num_threads(1);
        body(communicator);
      },
      options);
}

/// Values from a key alone: LibTorch's own generator is shared by all thread ranks.
inline torch::Tensor random_tensor(std::uint64_t key, torch::IntArrayRef shape) {
  auto tensor = torch::empty(shape);
  Random random(key);
  auto* values = tensor.data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    values[i] = static_cast<float>(random.normal());
  }
  return tensor;
}

inline void initialise(torch::nn::Module& module, std::uint64_t key) {
  const torch::NoGradGuard no_grad;
  for (auto& parameter : module.parameters()) {
    parameter.copy_(random_tensor(key++, parameter.sizes()) * 0.3);
  }
}

struct Batch {
  torch::Tensor images;
  torch::Tensor labels;

  [[nodiscard]] std::int64_t size() const { return images.size(0); }
  [[nodiscard]] Batch slice(std::int64_t begin, std::int64_t end) const {
    return {images.slice(0, begin, end), labels.slice(0, begin, end)};
  }
};

constexpr std::int64_t kClasses = 5;

inline Batch make_batch(std::uint64_t key, std::int64_t samples) {
  auto labels = torch::empty({samples}, torch::kInt64);
  Random random({key, 1});
  for (std::int64_t i = 0; i < samples; ++i) {
    labels[i] = static_cast<std::int64_t>(random.below(kClasses));
  }
  return {random_tensor(key, {samples, 1, 6, 6}), labels};
}

/// Convolution, hidden layer, classes: 6 parameter tensors of different sizes.
struct SmallNet : torch::nn::Module {
  explicit SmallNet(std::uint64_t key = 7) { initialise(*this, key); }

  torch::Tensor forward(const torch::Tensor& images) {
    return classes->forward(hidden->forward(convolution->forward(images).relu().flatten(1)).relu());
  }
  torch::Tensor loss(const Batch& batch) {
    return torch::nn::functional::cross_entropy(forward(batch.images), batch.labels);
  }

  torch::nn::Conv2d convolution = register_module(
      "convolution", torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 4, 3).padding(1)));
  torch::nn::Linear hidden = register_module("hidden", torch::nn::Linear(4 * 36, 16));
  torch::nn::Linear classes = register_module("classes", torch::nn::Linear(16, kClasses));
};

inline torch::optim::SGD make_sgd(const torch::nn::Module& module) {
  return torch::optim::SGD(module.parameters(), torch::optim::SGDOptions(0.05).momentum(0.9));
}

/// An optimizer for each parameter of a module, in order.
class StepEach {
 public:
  explicit StepEach(const torch::nn::Module& module) {
    for (const auto& parameter : module.parameters()) {
      optimizers_.push_back(std::make_unique<torch::optim::SGD>(
          std::vector{parameter}, torch::optim::SGDOptions(0.05).momentum(0.9)));
    }
  }
  void update(std::size_t parameter) {
    optimizers_[parameter]->step();
    optimizers_[parameter]->zero_grad();
  }
  void update_all() {
    for (std::size_t i = 0; i < optimizers_.size(); ++i) update(i);
  }

 private:
  std::vector<std::unique_ptr<torch::optim::SGD>> optimizers_;
};

/// ||a - b|| / ||b|| in float64.
inline double relative_error(const torch::Tensor& a, const torch::Tensor& b) {
  const auto expected = b.detach().to(torch::kFloat64);
  return ((a.detach().to(torch::kFloat64) - expected).norm() / expected.norm()).item<double>();
}

/// Forgets gradients on any LibTorch (its defaults differ).
inline void clear_gradients(const torch::nn::Module& module) {
  for (auto& parameter : module.parameters()) parameter.mutable_grad().reset();
}

}  // namespace convoy::tests
