// SPDX-License-Identifier: Apache-2.0
#include "trainer/optim/optimizer.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "base/errors.h"

namespace convoy::trainer {
namespace {

/// A matrix and a vector in float64, so that an own computation agrees to the last few bits.
std::vector<NamedTensor> make_parameters(torch::ScalarType dtype = torch::kFloat64) {
  torch::manual_seed(11);
  return {{"layer.weight", torch::randn({3, 2}, dtype).requires_grad_()},
          {"layer/bias", torch::randn({3}, dtype).requires_grad_()}};
}

/// A gradient that depends on the step, the parameter and its values.
void set_gradients(const std::vector<NamedTensor>& parameters, int step) {
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    auto parameter = parameters[i].tensor;
    const auto gradient = parameter.detach() * 0.3 + std::sin(step + static_cast<double>(i) + 1.0);
    if (parameter.grad().defined()) {
      parameter.mutable_grad().copy_(gradient);
    } else {
      parameter.mutable_grad() = gradient.clone();
    }
  }
}

std::vector<double> values_of(const torch::Tensor& tensor) {
  const auto flat = tensor.detach().to(torch::kDouble).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

/// The published update rules for one number.
struct Reference {
  OptimizerConfig config;
  double decay = 0.0;
  double first = 0.0;   // momentum or exp_avg
  double second = 0.0;  // exp_avg_sq
  int steps = 0;

  double update(double value, double gradient) {
    ++steps;
    return config.name == "sgd" ? sgd(value, gradient) : adamw(value, gradient);
  }
  double sgd(double value, double gradient) {
    gradient += decay * value;
    first = config.momentum * first + gradient;
    return value - config.lr * (config.nesterov ? gradient + config.momentum * first : first);
  }
  double adamw(double value, double gradient) {
    first = config.beta1 * first + (1.0 - config.beta1) * gradient;
    second = config.beta2 * second + (1.0 - config.beta2) * gradient * gradient;
    const double m = first / (1.0 - std::pow(config.beta1, steps));
    const double v = second / (1.0 - std::pow(config.beta2, steps));
    return value * (1.0 - config.lr * decay) - config.lr * m / (std::sqrt(v) + config.eps);
  }
};

/// Steps optimizer and reference side by side.
void expect_follows_reference(const OptimizerConfig& config) {
  const auto parameters = make_parameters();
  Optimizer optimizer(config, parameters);
  std::vector<std::vector<Reference>> references;
  for (const auto& [name, tensor] : parameters) {
    const bool decays = config.decay_all || tensor.dim() >= 2;
    references.emplace_back(static_cast<std::size_t>(tensor.numel()),
                            Reference{config, decays ? config.weight_decay : 0.0});
  }
  for (int step = 0; step < 6; ++step) {
    set_gradients(parameters, step);
    std::vector<std::vector<double>> expected;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      auto values = values_of(parameters[i].tensor);
      const auto gradients = values_of(parameters[i].tensor.grad());
      for (std::size_t k = 0; k < values.size(); ++k) {
        values[k] = references[i][k].update(values[k], gradients[k]);
      }
      expected.push_back(values);
    }
    optimizer.step();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const auto found = values_of(parameters[i].tensor);
      for (std::size_t k = 0; k < found.size(); ++k) {
        ASSERT_NEAR(found[k], expected[i][k], 1e-12) << parameters[i].name << " step " << step;
      }
    }
  }
}

TEST(Optimizer, SgdFollowsItsRule) {
  expect_follows_reference({.lr = 0.1, .momentum = 0.0});
  expect_follows_reference({.lr = 0.1, .momentum = 0.9});
  expect_follows_reference({.lr = 0.1, .momentum = 0.9, .nesterov = true});
  expect_follows_reference({.lr = 0.1, .momentum = 0.8, .nesterov = true, .weight_decay = 0.05});
}

TEST(Optimizer, AdamwFollowsItsRule) {
  expect_follows_reference({.name = "adamw", .lr = 0.01});
  expect_follows_reference({.name = "adamw", .lr = 0.01, .weight_decay = 0.1});
  expect_follows_reference({.name = "adamw", .lr = 0.02, .beta1 = 0.5, .beta2 = 0.7, .eps = 1e-3});
}

TEST(Optimizer, SparesNormsAndBiasesFromDecay) {
  expect_follows_reference({.lr = 0.1, .weight_decay = 0.5, .decay_all = false});
  expect_follows_reference({.name = "adamw", .lr = 0.1, .weight_decay = 0.5, .decay_all = false});
}

TEST(Optimizer, SetsTheRateOfAllGroups) {
  const auto parameters = make_parameters();
  Optimizer optimizer({.momentum = 0.0, .decay_all = false}, parameters);
  optimizer.set_learning_rate(0.0);
  set_gradients(parameters, 0);
  const auto before = make_parameters();
  optimizer.step();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    EXPECT_TRUE(torch::equal(parameters[i].tensor, before[i].tensor));
  }
}

TEST(Optimizer, LeavesParametersWithoutGradientAlone) {
  const auto parameters = make_parameters();
  Optimizer optimizer({.lr = 0.1, .weight_decay = 0.1}, parameters);
  parameters[0].tensor.mutable_grad() = torch::ones_like(parameters[0].tensor);
  optimizer.step();
  EXPECT_TRUE(torch::equal(parameters[1].tensor, make_parameters()[1].tensor));
  ASSERT_EQ(optimizer.state().size(), 1U);
  EXPECT_EQ(optimizer.state()[0].name, "layer.weight/momentum");
}

TEST(Optimizer, ZeroGradKeepsTheMemory) {
  const auto parameters = make_parameters();
  Optimizer optimizer({}, parameters);
  parameters[0].tensor.mutable_grad() = torch::ones_like(parameters[0].tensor);
  const auto view = parameters[0].tensor.grad().view({-1});
  optimizer.zero_grad();
  EXPECT_EQ(parameters[0].tensor.grad().data_ptr(), view.data_ptr());
  EXPECT_EQ(view.abs().sum().item<double>(), 0.0);
  EXPECT_FALSE(parameters[1].tensor.grad().defined());
}

std::map<std::string, torch::Tensor> by_name(const std::vector<NamedTensor>& tensors) {
  std::map<std::string, torch::Tensor> result;
  for (const auto& [name, tensor] : tensors) result.emplace(name, tensor);
  return result;
}

TEST(Optimizer, StateIsKeyedByParameterName) {
  const auto parameters = make_parameters();
  Optimizer optimizer({.name = "adamw"}, parameters);
  EXPECT_TRUE(optimizer.state().empty());
  for (int step = 0; step < 3; ++step) {
    set_gradients(parameters, step);
    optimizer.step();
  }
  const auto state = by_name(optimizer.state());
  ASSERT_EQ(state.size(), 6U);
  EXPECT_EQ(state.at("layer/bias/step").item<std::int64_t>(), 3);
  EXPECT_EQ(state.at("layer/bias/step").scalar_type(), torch::kInt64);
  EXPECT_EQ(state.at("layer.weight/exp_avg").sizes(), parameters[0].tensor.sizes());
  EXPECT_TRUE(state.contains("layer/bias/exp_avg_sq"));
}

/// n steps, state out, into a new optimizer over copies, n more steps: as 2n steps.
void expect_continues_bit_exactly(const OptimizerConfig& config) {
  const auto straight = make_parameters(torch::kFloat32);
  Optimizer whole(config, straight);
  const auto first = make_parameters(torch::kFloat32);
  Optimizer before(config, first);
  for (int step = 0; step < 5; ++step) {
    set_gradients(straight, step);
    whole.step();
    set_gradients(first, step);
    before.step();
  }
  std::vector<NamedTensor> second;
  for (const auto& [name, tensor] : first) {
    second.push_back({name, tensor.detach().clone().requires_grad_()});
  }
  Optimizer after(config, second);
  after.load_state(before.state());
  set_gradients(first, 99);  // the old optimizer must not share memory with the new one
  before.step();
  for (int step = 5; step < 10; ++step) {
    set_gradients(straight, step);
    whole.step();
    set_gradients(second, step);
    after.step();
  }
  for (std::size_t i = 0; i < straight.size(); ++i) {
    EXPECT_TRUE(torch::equal(straight[i].tensor, second[i].tensor)) << config.name;
  }
}

TEST(Optimizer, ContinuesBitExactlyFromItsState) {
  expect_continues_bit_exactly({.momentum = 0.0});
  expect_continues_bit_exactly({.momentum = 0.9, .nesterov = true, .weight_decay = 1e-3});
  expect_continues_bit_exactly({.name = "adamw", .lr = 0.01, .weight_decay = 0.1});
  expect_continues_bit_exactly(
      {.name = "adamw", .lr = 0.01, .weight_decay = 0.1, .decay_all = false});
}

TEST(Optimizer, ParametersOneByOneGiveTheBitsOfAllAtOnce) {
  for (const OptimizerConfig& config :
       {OptimizerConfig{.momentum = 0.9, .nesterov = true, .weight_decay = 1e-3},
        OptimizerConfig{.name = "adamw", .lr = 0.01, .weight_decay = 0.1, .decay_all = false}}) {
    const auto together = make_parameters(torch::kFloat32);
    const auto apart = make_parameters(torch::kFloat32);
    Optimizer all(config, together);
    Optimizer each(config, apart);
    for (int step = 0; step < 5; ++step) {
      set_gradients(together, step);
      set_gradients(apart, step);
      all.step();
      for (const std::size_t parameter : {1, 0}) {
        each.step(parameter);
        each.zero_grad(parameter);
        EXPECT_TRUE(apart[parameter].tensor.grad().eq(0).all().item<bool>());
      }
    }
    for (std::size_t i = 0; i < apart.size(); ++i) {
      EXPECT_TRUE(torch::equal(together[i].tensor, apart[i].tensor)) << config.name;
    }
    const auto expected = all.state();
    const auto state = each.state();
    ASSERT_EQ(state.size(), expected.size());
    for (std::size_t i = 0; i < state.size(); ++i) {
      EXPECT_TRUE(torch::equal(state[i].tensor, expected[i].tensor)) << state[i].name;
    }
  }
}

std::string load_error(const OptimizerConfig& config, const std::vector<NamedTensor>& state) {
  Optimizer optimizer(config, make_parameters());
  try {
    optimizer.load_state(state);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Optimizer, RefusesStateThatDoesNotFit) {
  EXPECT_EQ(
      load_error({}, {{"head.weight/momentum", torch::zeros({3, 2})}}),
      "optimizer state \"head.weight/momentum\" belongs to no parameter and kind of this sgd");
  EXPECT_EQ(
      load_error({}, {{"layer.weight/exp_avg", torch::zeros({3, 2})}}),
      "optimizer state \"layer.weight/exp_avg\" belongs to no parameter and kind of this sgd");
  EXPECT_EQ(load_error({}, {{"layer.weight/momentum", torch::zeros({2, 3})}}),
            "optimizer state \"layer.weight/momentum\" has shape [2, 3], its parameter has [3, 2]");
  EXPECT_EQ(load_error({.name = "adamw"}, {{"layer/bias/exp_avg", torch::zeros({3})}}),
            "optimizer state lacks \"layer/bias/exp_avg_sq\"");
  EXPECT_EQ(load_error({.name = "adamw"}, {{"layer/bias/step", torch::zeros({3})}}),
            "optimizer state \"layer/bias/step\" must be a single number");
  EXPECT_EQ(load_error({}, {}), "");
}

TEST(Optimizer, RefusedStateChangesNothing) {
  const auto parameters = make_parameters();
  Optimizer optimizer({}, parameters);
  set_gradients(parameters, 0);
  optimizer.step();
  const auto before = by_name(optimizer.state());
  EXPECT_THROW(
      optimizer.load_state({{"layer.weight/momentum", torch::zeros({3, 2}, torch::kDouble)},
                            {"nobody/momentum", torch::zeros({1})}}),
      ConfigError);
  for (const auto& [name, tensor] : optimizer.state()) {
    EXPECT_TRUE(torch::equal(tensor, before.at(name)));
  }
}

TEST(Optimizer, RefusesBadConfigurationAndDoubleNames) {
  EXPECT_THROW(Optimizer({.name = "lamb"}, make_parameters()), ConfigError);
  auto parameters = make_parameters();
  parameters[1].name = parameters[0].name;
  EXPECT_THROW(Optimizer({}, parameters), ContractError);
  parameters[1] = {"tied", parameters[0].tensor};
  EXPECT_THROW(Optimizer({}, parameters), ContractError);
}

}  // namespace
}  // namespace convoy::trainer
