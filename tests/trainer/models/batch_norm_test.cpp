// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/batch_norm.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <barrier>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "tests/trainer/models/model_kit.h"
#include "trainer/models/model.h"

namespace convoy::trainer {
namespace {

using testing_kit::image_info;
using testing_kit::random_inputs;

/// Sums over ranks that are threads.
class Exchange {
 public:
  explicit Exchange(std::size_t ranks)
      : values_(ranks), barrier_(static_cast<std::ptrdiff_t>(ranks)) {}

  void sum(std::size_t rank, std::span<double> values) {
    values_[rank].assign(values.begin(), values.end());
    barrier_.arrive_and_wait();
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = 0.0;
      for (const auto& from : values_) values[i] += from.at(i);
    }
    barrier_.arrive_and_wait();
  }

 private:
  std::vector<std::vector<double>> values_;
  std::barrier<> barrier_;
};

class RankStatistics : public BatchStatistics {
 public:
  RankStatistics(Exchange& exchange, std::size_t rank) : exchange_(exchange), rank_(rank) {}
  void sum(std::span<double> values) override { exchange_.sum(rank_, values); }

 private:
  Exchange& exchange_;
  std::size_t rank_;
};

/// Runs `body(rank, statistics, first sample, samples)` on a thread for each rank.
template <typename Body>
void run_ranks(const std::vector<std::int64_t>& shares, const Body& body) {
  Exchange exchange(shares.size());
  std::vector<std::jthread> threads;
  std::int64_t begin = 0;
  for (std::size_t rank = 0; rank < shares.size(); ++rank) {
    threads.emplace_back([&exchange, &body, &shares, rank, begin] {
      RankStatistics statistics(exchange, rank);
      body(rank, statistics, begin, shares[rank]);
    });
    begin += shares[rank];
  }
}

double relative_distance(const torch::Tensor& a, const torch::Tensor& b) {
  return ((a - b).norm() / b.norm()).item<double>();
}

/// How 8 samples are cut over the ranks.
class BatchNormOverRanks : public ::testing::TestWithParam<std::vector<std::int64_t>> {};

TEST_P(BatchNormOverRanks, EqualsOneBigBatchInDoublePrecision) {
  torch::manual_seed(5);
  const auto options = torch::dtype(torch::kFloat64);
  const auto inputs = torch::randn({8, 3, 4, 5}, options) * 2.0 + 3.0;
  const auto weights = torch::randn({8, 3, 4, 5}, options);  // of an arbitrary loss
  const auto fill = [](BatchNorm& layer) {
    layer->to(torch::kFloat64);
    const torch::NoGradGuard no_grad;
    layer->weight().detach().copy_(torch::tensor({0.5, 1.5, -2.0}, torch::kFloat64));
  };
  BatchNorm whole(3);
  fill(whole);
  const auto all = inputs.clone().requires_grad_();
  (whole->forward(all) * weights).sum().backward();

  const auto& shares = GetParam();
  std::vector<torch::Tensor> input_gradients(shares.size());
  std::vector<BatchNorm> layers(shares.size(), nullptr);
  run_ranks(shares, [&](std::size_t rank, BatchStatistics& statistics, std::int64_t begin,
                        std::int64_t samples) {
    BatchNorm layer(3);
    fill(layer);
    layers[rank] = layer;
    layer->set_statistics(&statistics);
    if (samples == 0) {
      layer->empty_forward();
      layer->empty_backward();
      return;
    }
    const auto own = inputs.narrow(0, begin, samples).clone().requires_grad_();
    (layer->forward(own) * weights.narrow(0, begin, samples)).sum().backward();
    input_gradients[rank] = own.grad();
  });

  std::vector<torch::Tensor> pieces;
  auto weight_gradient = torch::zeros({3}, options);
  auto bias_gradient = torch::zeros({3}, options);
  for (std::size_t rank = 0; rank < shares.size(); ++rank) {
    for (const auto& item : layers[rank]->named_buffers()) {
      const auto& expected = *whole->named_buffers().find(item.key());
      EXPECT_TRUE(torch::allclose(item.value(), expected, 1e-10, 1e-12)) << item.key() << rank;
    }
    if (shares[rank] == 0) continue;
    pieces.push_back(input_gradients[rank]);
    weight_gradient += layers[rank]->weight().grad();
    bias_gradient += layers[rank]->bias().grad();
  }
  EXPECT_LT(relative_distance(torch::cat(pieces), all.grad()), 1e-10);
  EXPECT_LT(relative_distance(weight_gradient, whole->weight().grad()), 1e-10);
  EXPECT_LT(relative_distance(bias_gradient, whole->bias().grad()), 1e-10);
}

/// The share of a loss over all 8 samples that `samples` of them make.
torch::Tensor share_of_loss(Model& model, const torch::Tensor& inputs, std::int64_t begin,
                            std::int64_t samples) {
  const auto targets = torch::arange(8, torch::kInt64).remainder(4);
  const auto loss = torch::nn::functional::cross_entropy(
      model.forward(inputs.narrow(0, begin, samples)), targets.narrow(0, begin, samples));
  return loss * (static_cast<double>(samples) / 8.0);
}

TEST_P(BatchNormOverRanks, TrainsResNet20AsOneRankWould) {
  const auto info = image_info(3, 8, 4);
  const auto inputs = random_inputs(info, 8);
  const auto whole = make_model({.name = "resnet20"}, info, 9);
  share_of_loss(*whole, inputs, 0, 8).backward();

  const auto& shares = GetParam();
  std::vector<std::unique_ptr<Model>> models(shares.size());
  run_ranks(shares, [&](std::size_t rank, BatchStatistics& statistics, std::int64_t begin,
                        std::int64_t samples) {
    models[rank] = make_model({.name = "resnet20"}, info, 9);
    models[rank]->set_batch_statistics(&statistics);
    if (samples == 0) return models[rank]->empty_step();
    share_of_loss(*models[rank], inputs, begin, samples).backward();
  });

  const auto expected = whole->parameters();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    auto sum = torch::zeros_like(expected[i].tensor);
    for (const auto& model : models) {
      const auto gradient = model->parameters()[i].tensor.grad();
      if (gradient.defined()) sum += gradient;
    }
    EXPECT_LT(relative_distance(sum, expected[i].tensor.grad()), 2e-5) << expected[i].name;
  }
  const auto buffers = whole->buffers();
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    for (const auto& model : models) {
      EXPECT_TRUE(torch::allclose(model->buffers()[i].tensor, buffers[i].tensor, 1e-5, 1e-6))
          << buffers[i].name;
    }
  }
}

using Shares = std::vector<std::int64_t>;
INSTANTIATE_TEST_SUITE_P(Cuts, BatchNormOverRanks,
                         ::testing::Values(Shares{8}, Shares{4, 4}, Shares{5, 3}, Shares{1, 7},
                                           Shares{5, 0, 3}, Shares{0, 2, 6}));

/// One rank that keeps what it was asked to sum.
class Recorder : public BatchStatistics {
 public:
  void sum(std::span<double> values) override {
    sizes.push_back(values.size());
    if (values.size() % 2 == 1 && values[0] == 0.0) values[0] = 4.0;  // another rank's count
  }
  std::vector<std::size_t> sizes;
};

TEST(BatchNorm, OfAnEmptyRankMakesTheSameSums) {
  const auto info = image_info(3, 16, 10);
  for (const auto* name : {"resnet20", "resnet18"}) {
    const auto model = make_model({.name = name}, info, 1);
    Recorder full;
    model->set_batch_statistics(&full);
    testing_kit::loss_of(*model, info, random_inputs(info, 2)).backward();
    Recorder empty;
    model->set_batch_statistics(&empty);
    model->empty_step();
    EXPECT_EQ(full.sizes, empty.sizes) << name;
    EXPECT_FALSE(empty.sizes.empty());
  }
}

TEST(BatchNorm, SurvivesAMeanFarFromZero) {
  const auto inputs = torch::randn({16, 2, 8, 8}) + 1000.0;
  Recorder alone;
  BatchNorm layer(2);
  BatchNorm plain(2);
  layer->set_statistics(&alone);
  (void)layer->forward(inputs);
  (void)plain->forward(inputs);
  const auto variance = *layer->named_buffers().find("running_var");
  EXPECT_TRUE(torch::allclose(variance, *plain->named_buffers().find("running_var"), 1e-5));
}

TEST(BatchNorm, UsesRunningStatisticsInEvaluation) {
  Recorder recorder;
  BatchNorm layer(2);
  layer->set_statistics(&recorder);
  layer->eval();
  const auto inputs = torch::randn({4, 2, 3, 3});
  EXPECT_TRUE(torch::allclose(layer->forward(inputs), inputs, 1e-4, 1e-4));
  EXPECT_TRUE(recorder.sizes.empty());
}

TEST(BatchNorm, OfModelsWithoutItAsksForNothing) {
  const auto info = image_info(1, 28, 10);
  const auto model = make_model({.name = "cnn"}, info, 1);
  Recorder recorder;
  model->set_batch_statistics(&recorder);
  testing_kit::loss_of(*model, info, random_inputs(info, 2)).backward();
  model->empty_step();
  EXPECT_TRUE(recorder.sizes.empty());
}

}  // namespace
}  // namespace convoy::trainer
