// SPDX-License-Identifier: Apache-2.0
#include "tests/trainer/equivalence.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <memory>
#include <vector>

#include "base/random.h"
#include "comm/local/local.h"
#include "trainer/data/sampler.h"
#include "trainer/models/batch_norm.h"
#include "trainer/parallel/communicator_statistics.h"
#include "trainer/parallel/data_parallel.h"

namespace convoy::tests {
namespace {

constexpr std::int64_t kSteps = 20;
constexpr std::int64_t kBatch = 8;
constexpr std::int64_t kClasses = 4;

torch::Tensor random_tensor(std::vector<std::int64_t> shape, double scale, std::uint64_t key) {
  Random random(key);
  torch::Tensor tensor = torch::empty(shape);
  auto* values = tensor.data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    values[i] = static_cast<float>(scale * random.normal());
  }
  return tensor;
}

struct Net : torch::nn::Module {
  // A bias that BatchNorm takes out again has no gradient but rounding: leave it away.
  explicit Net(bool with_batch_norm)
      : conv1(torch::nn::Conv2dOptions(2, 6, 3).padding(1).bias(!with_batch_norm)),
        conv2(torch::nn::Conv2dOptions(6, 8, 3).stride(2).padding(1).bias(!with_batch_norm)) {
    register_module("conv1", conv1);
    register_module("conv2", conv2);
    register_module("head", head);
    if (with_batch_norm) {
      norm1 = register_module("norm1", trainer::BatchNorm(6));
      norm2 = register_module("norm2", trainer::BatchNorm(8));
    }
    const torch::NoGradGuard no_grad;
    std::uint64_t key = 1;
    for (auto& entry : named_parameters()) {  // constructors draw from a process-wide generator
      torch::Tensor& parameter = entry.value();
      if (parameter.dim() > 1) parameter.copy_(random_tensor(parameter.sizes().vec(), 0.2, ++key));
      if (entry.key().ends_with("bias")) parameter.zero_();
    }
  }
  torch::Tensor forward(torch::Tensor x) {
    x = conv1->forward(x);
    x = torch::tanh(norm1.is_empty() ? x : norm1->forward(x));
    x = conv2->forward(x);
    x = torch::tanh(norm2.is_empty() ? x : norm2->forward(x));
    return head->forward(x.flatten(1));
  }

  torch::nn::Conv2d conv1;
  torch::nn::Conv2d conv2;
  torch::nn::Linear head{8 * 4 * 4, kClasses};
  trainer::BatchNorm norm1{nullptr};
  trainer::BatchNorm norm2{nullptr};
};

std::vector<trainer::NamedTensor> train(comm::Communicator& world, std::int64_t batch_size,
                                        bool with_batch_norm) {
  Net net(with_batch_norm);
  trainer::CommunicatorStatistics statistics(world);
  if (with_batch_norm) {
    net.norm1->set_statistics(&statistics);
    net.norm2->set_statistics(&statistics);
  }
  trainer::DataParallel parallel(world, net);
  torch::optim::SGD optimizer(net.parameters(), torch::optim::SGDOptions(0.05).momentum(0.9));
  const std::int64_t samples = 300;
  const torch::Tensor inputs = random_tensor({samples, 2, 8, 8}, 1.0, 99);
  const torch::Tensor targets = torch::arange(samples).remainder(kClasses);
  trainer::Sampler sampler(samples, world.rank(), world.size(), batch_size, 3);
  for (std::int64_t step = 0; step < kSteps; ++step) {
    const std::int64_t epoch = step / sampler.batches_per_epoch();
    const auto share = sampler.share(epoch, step % sampler.batches_per_epoch());
    const torch::Tensor rows =
        torch::tensor(std::vector<std::int64_t>(share.indices.begin(), share.indices.end()));
    for (auto& parameter : net.parameters()) {
      if (parameter.grad().defined()) parameter.mutable_grad().zero_();
    }
    parallel.begin_step(static_cast<std::int64_t>(share.indices.size()), share.global_samples);
    parallel.backward(torch::cross_entropy_loss(net.forward(inputs.index_select(0, rows)),
                                                targets.index_select(0, rows)));
    optimizer.step();
    parallel.end_step();
  }
  return trainer::named_parameters(net);
}

void expect_equal(comm::Communicator& world, bool with_batch_norm) {
  const auto together = train(world, kBatch, with_batch_norm);
  std::vector<trainer::NamedTensor> alone;
  const std::int64_t whole = kBatch * world.size();
  comm::local::run(1, [&](comm::Communicator& one) { alone = train(one, whole, with_batch_norm); });
  const torch::NoGradGuard no_grad;
  EXPECT_EQ(together.size(), alone.size());
  for (std::size_t i = 0; i < alone.size(); ++i) {
    const auto expected = alone[i].tensor.to(torch::kDouble);
    const double distance =
        (together[i].tensor.to(torch::kDouble) - expected).norm().item<double>();
    EXPECT_LE(distance, 1e-5 * expected.norm().item<double>()) << alone[i].name;
  }
}

}  // namespace

void expect_equals_one_rank(comm::Communicator& world) { expect_equal(world, false); }
void expect_batch_norm_equals_one_rank(comm::Communicator& world) { expect_equal(world, true); }

}  // namespace convoy::tests
