// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/local_training.h"

#include <gtest/gtest.h>
#include <torch/script.h>

#include <cmath>
#include <numeric>
#include <thread>

#include "tests/temporary_folder.h"
#include "trainer/loss.h"

namespace convoy::trainer {
namespace {

constexpr std::int64_t kBatch = 8;
constexpr double kRate = 0.1;

class LocalTrainingTest : public testing::Test {
 protected:
  LocalTrainingTest() {
    data_config.name = "synthetic";
    data_config.samples = 200;
    data_config.features = 6;
    data_config.classes = 3;
    model_config.name = "mlp";
    model_config.hidden = 10;
    model_config.layers = 1;
    config.optimizer.lr = kRate;
    config.optimizer.momentum = 0.0;
    dataset = load_datasets(data_config, 1).train;
  }

  [[nodiscard]] std::unique_ptr<Model> model() const {
    return make_model(model_config, dataset->info(), 3);
  }
  [[nodiscard]] LocalTrainer trainer() const { return {model(), *dataset, config}; }
  [[nodiscard]] static ClientData client(double validation = 0.0) {
    std::vector<std::int64_t> samples(40);
    std::iota(samples.begin(), samples.end(), std::int64_t{20});
    return {samples, validation, kBatch, 77};
  }

  /// The parameters after plain gradient descent, written down once more.
  [[nodiscard]] std::vector<torch::Tensor> descend(std::int64_t steps, double proximal) const {
    const auto own = model();
    const auto start = copy_state(*own);
    ClientData data = client();
    for (std::int64_t step = 0; step < steps; ++step) {
      const Batch batch = dataset->get(data.next().samples, 0);
      torch::Tensor loss = mean_loss(Task::kClassify, own->forward(batch.inputs), batch.targets);
      std::vector<torch::Tensor> weights;
      for (const auto& item : own->parameters()) weights.push_back(item.tensor);
      for (std::size_t i = 0; i < weights.size(); ++i) {
        loss = loss + 0.5 * proximal * (weights[i] - start.parameters[i]).square().sum();
      }
      const auto gradients = torch::autograd::grad({loss}, weights);
      const torch::NoGradGuard no_grad;
      for (std::size_t i = 0; i < weights.size(); ++i) weights[i].sub_(kRate * gradients[i]);
    }
    return copy_state(*own).parameters;
  }

  static void expect_same(const LocalResult& a, const LocalResult& b) {
    ASSERT_EQ(a.update.delta.size(), b.update.delta.size());
    for (std::size_t i = 0; i < a.update.delta.size(); ++i) {
      EXPECT_TRUE(torch::equal(a.update.delta[i], b.update.delta[i]));
    }
    EXPECT_EQ(a.loss, b.loss);
  }

  DataConfig data_config;
  ModelConfig model_config;
  LocalTrainingConfig config;
  std::shared_ptr<const Dataset> dataset;
};

TEST_F(LocalTrainingTest, ReturnsWhatGradientDescentDoes) {
  for (const double proximal : {0.0, 3.0}) {
    config.proximal = proximal;
    LocalTrainer own = trainer();
    ClientData data = client();
    const ModelState start = copy_state(own.model());
    const LocalResult result = own.run(data, start, 4);
    const auto expected = descend(4, proximal);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const auto found = start.parameters[i] + result.update.delta[i];
      EXPECT_TRUE(torch::allclose(found, expected[i], 1e-5, 1e-6)) << proximal << " " << i;
    }
    EXPECT_EQ(result.steps, 4);
    EXPECT_EQ(result.samples, 4 * kBatch);
    EXPECT_TRUE(result.finite);
    EXPECT_FALSE(result.validation.has_value());
  }
}

TEST_F(LocalTrainingTest, TheProximalTermHoldsTheModelNearItsStart) {
  const auto distance = [&](double proximal) {
    config.proximal = proximal;
    LocalTrainer own = trainer();
    ClientData data = client();
    const auto result = own.run(data, copy_state(own.model()), 30);
    double sum = 0.0;
    for (const auto& delta : result.update.delta) sum += delta.square().sum().item<double>();
    return std::sqrt(sum);
  };
  EXPECT_LT(distance(5.0), 0.7 * distance(0.0));
}

TEST_F(LocalTrainingTest, OptimizerStateIsFreshInEveryRound) {
  config.optimizer.momentum = 0.9;
  config.optimizer.weight_decay = 0.01;
  LocalTrainer used = trainer();
  const ModelState start = copy_state(used.model());
  ClientData before = client();
  (void)used.run(before, start, 5);
  LocalTrainer fresh = trainer();
  ClientData again = client();
  again.set_position(before.position());
  const LocalResult first = used.run(before, start, 3);
  expect_same(first, fresh.run(again, start, 3));
}

TEST_F(LocalTrainingTest, DropoutIsTheSameWhateverOtherThreadsDo) {
  model_config.dropout = 0.5;
  LocalTrainer own = trainer();
  const ModelState start = copy_state(own.model());
  ClientData first_data = client();
  const LocalResult alone = own.run(first_data, start, 6);
  const LocalResult next = own.run(first_data, start, 6);
  EXPECT_NE(alone.loss, next.loss);

  LocalResult beside;
  {
    std::jthread other([&] {
      LocalTrainer another = trainer();
      ClientData data = client();
      (void)another.run(data, start, 30);
    });
    LocalTrainer again = trainer();
    ClientData data = client();
    beside = again.run(data, start, 6);
  }
  expect_same(alone, beside);
}

TEST_F(LocalTrainingTest, AScriptedModelsDropoutIsReproducible) {
  const tests::TemporaryFolder folder;
  torch::jit::Module module("net");
  torch::manual_seed(1);
  module.register_parameter("weight", torch::randn({6, 3}).set_requires_grad(true), false);
  module.register_attribute("training", torch::jit::BoolType::get(), true);
  module.define(
      "def forward(self, x):\n    return torch.matmul(torch.dropout(x, 0.5, self.training), "
      "self.weight)\n");
  module.save((folder.path() / "net.pt").string());
  model_config.torchscript = (folder.path() / "net.pt").string();
  LocalTrainer own = trainer();
  ASSERT_TRUE(own.model().draws_from_shared_generator());
  const ModelState start = copy_state(own.model());
  ClientData first = client();
  const LocalResult one = own.run(first, start, 4);
  torch::manual_seed(99);
  (void)torch::rand({17});
  ClientData second = client();
  expect_same(one, own.run(second, start, 4));
}

TEST_F(LocalTrainingTest, SaysWhenALossIsNotFinite) {
  config.optimizer.lr = 1e30;
  LocalTrainer own = trainer();
  ClientData data = client();
  const LocalResult result = own.run(data, copy_state(own.model()), 50);
  EXPECT_FALSE(result.finite);
  EXPECT_LT(result.steps, 50);
  EXPECT_GE(result.steps, 1);
}

TEST_F(LocalTrainingTest, ValidatesOnTheClientsOwnShare) {
  LocalTrainer own = trainer();
  ClientData data = client(0.25);
  const LocalResult result = own.run(data, copy_state(own.model()), 40);
  ASSERT_TRUE(result.validation.has_value());
  EXPECT_EQ(result.validation->samples, 10);
  EXPECT_GT(result.validation->accuracy, 0.5);
}

}  // namespace
}  // namespace convoy::trainer
