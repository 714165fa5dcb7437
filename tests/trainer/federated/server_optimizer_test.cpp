// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/server_optimizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/errors.h"
#include "tests/trainer/federated/tensor_model.h"

namespace convoy::trainer {
namespace {

constexpr std::size_t kNumel = 30;
constexpr int kRounds = 12;

/// The rules of arXiv:2003.00295 for one value, written down a second time in double precision.
struct Reference {
  ServerOptimizerConfig config;
  double m = 0.0;
  double v = config.tau * config.tau;

  double step(double d) {
    if (config.name == "fedavgm") {
      m = config.momentum * m + d;
      return config.lr * m;
    }
    m = config.beta1 * m + (1.0 - config.beta1) * d;
    const double square = d * d;
    if (config.name == "fedadagrad") v = v + square;
    if (config.name == "fedadam") v = config.beta2 * v + (1.0 - config.beta2) * square;
    if (config.name == "fedyogi") {
      v = v > square ? v - (1.0 - config.beta2) * square : v + (1.0 - config.beta2) * square;
    }
    return config.lr * m / (std::sqrt(v) + config.tau);
  }
};

TEST(ServerOptimizer, FollowsThePaperRoundByRound) {
  for (const char* name : {"fedavgm", "fedadagrad", "fedadam", "fedyogi"}) {
    const ServerOptimizerConfig config{
        .name = name, .lr = 0.3, .momentum = 0.8, .beta1 = 0.7, .beta2 = 0.95, .tau = 0.01};
    ServerOptimizer optimizer(config, {{"w", torch::zeros({kNumel})}});
    std::vector<Reference> references(kNumel, Reference{config});
    Random random(std::uint64_t{8});
    for (int round = 0; round < kRounds; ++round) {
      // Large steps, then small ones: Yogi's sign changes.
      const auto d = tests::random_values(kNumel, round < kRounds / 2 ? 0.5 : 0.005, random);
      std::vector<torch::Tensor> steps{tests::tensor_of(d)};
      optimizer.apply(steps);
      const auto found = tests::values_of(steps[0]);
      for (std::size_t k = 0; k < kNumel; ++k) {
        const double expected = references[k].step(d[k]);
        EXPECT_NEAR(found[k], expected, 1e-5 * std::max(0.01, std::abs(expected)))
            << name << " round " << round;
      }
    }
  }
}

TEST(ServerOptimizer, NoneLeavesTheStepAlone) {
  ServerOptimizer optimizer({}, {{"w", torch::zeros({2})}});
  std::vector<torch::Tensor> steps{tests::tensor_of({0.25, -1.0})};
  optimizer.apply(steps);
  EXPECT_EQ(tests::values_of(steps[0]), (std::vector<double>{0.25, -1.0}));
  EXPECT_TRUE(optimizer.state().empty());
}

TEST(ServerOptimizer, RefusesValuesOutOfRange) {
  const auto refused = [](const ServerOptimizerConfig& config) {
    EXPECT_THROW(check_config(config), ConfigError);
  };
  refused({.name = "sgd"});
  refused({.lr = 0.0});
  refused({.momentum = 1.0});
  refused({.beta2 = -0.1});
  refused({.tau = 0.0});
}

TEST(ServerOptimizer, RefusesAStateOfAnotherShape) {
  ServerOptimizer optimizer({.name = "fedavgm"}, {{"w", torch::zeros({2})}});
  EXPECT_THROW(optimizer.load_state({{"w/m", torch::zeros({3})}}), ConfigError);
  EXPECT_THROW(optimizer.load_state({}), ConfigError);
}

}  // namespace
}  // namespace convoy::trainer
