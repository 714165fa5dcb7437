// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <set>
#include <string>

#include "tests/trainer/models/model_kit.h"
#include "trainer/models/model.h"

namespace convoy::trainer {
namespace {

using testing_kit::count_values;
using testing_kit::image_info;
using testing_kit::loss_of;
using testing_kit::random_inputs;
using testing_kit::text_info;

struct Case {
  std::string name;
  DataInfo info;
};

void PrintTo(const Case& item, std::ostream* out) { *out << item.name; }

class EveryNetwork : public ::testing::TestWithParam<Case> {
 protected:
  [[nodiscard]] std::unique_ptr<Model> make(std::uint64_t seed) const {
    ModelConfig config{.name = GetParam().name, .dropout = 0.1};
    if (GetParam().info.input_shape.back() == 32) config.patch = 8;
    return make_model(config, GetParam().info, seed);
  }
};

TEST_P(EveryNetwork, MakesLogitsForEverySample) {
  const auto& info = GetParam().info;
  const auto output = make(1)->forward(random_inputs(info, 3));
  if (info.task == Task::kLanguage) {
    EXPECT_EQ(output.sizes(), at::IntArrayRef({3, info.input_shape[0], info.classes}));
  } else {
    EXPECT_EQ(output.sizes(), at::IntArrayRef({3, info.classes}));
  }
  EXPECT_TRUE(output.isfinite().all().item<bool>());
}

TEST_P(EveryNetwork, DrawsTheSameBitsFromTheSameSeedOnly) {
  torch::manual_seed(1);
  const auto first = make(7)->parameters();
  torch::manual_seed(2);  // what other threads draw does not matter
  const auto again = make(7)->parameters();
  const auto other = make(8)->parameters();
  ASSERT_EQ(first.size(), again.size());
  bool differs = false;
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_TRUE(torch::equal(first[i].tensor, again[i].tensor)) << first[i].name;
    differs = differs || !torch::equal(first[i].tensor, other[i].tensor);
  }
  EXPECT_TRUE(differs);
}

TEST_P(EveryNetwork, GivesEveryParameterAGradient) {
  const auto model = make(3);
  loss_of(*model, GetParam().info, random_inputs(GetParam().info, 4)).backward();
  for (const auto& [name, tensor] : model->parameters()) {
    ASSERT_TRUE(tensor.grad().defined()) << name;
    EXPECT_TRUE(tensor.grad().isfinite().all().item<bool>()) << name;
    EXPECT_GT(tensor.grad().abs().sum().item<double>(), 0.0) << name;
  }
}

TEST_P(EveryNetwork, StartsNearTheLossOfGuessing) {
  const auto& info = GetParam().info;
  const auto model = make(4);
  const double guess = std::log(static_cast<double>(info.classes));
  EXPECT_LT(loss_of(*model, info, random_inputs(info, 16)).item<double>(), 1.6 * guess + 0.5);
}

TEST_P(EveryNetwork, NamesEveryTensorOnce) {
  const auto model = make(5);
  std::set<std::string> names;
  for (const auto& item : model->parameters()) EXPECT_TRUE(names.insert(item.name).second);
  for (const auto& item : model->buffers()) EXPECT_TRUE(names.insert(item.name).second);
}

INSTANTIATE_TEST_SUITE_P(
    Models, EveryNetwork,
    ::testing::Values(Case{"mlp", image_info(1, 28, 10)}, Case{"cnn", image_info(1, 28, 10)},
                      Case{"cnn", image_info(3, 32, 100)}, Case{"resnet20", image_info(1, 28, 10)},
                      Case{"resnet20", image_info(3, 32, 10)},
                      Case{"resnet18", image_info(3, 32, 100)}, Case{"vit", image_info(1, 28, 10)},
                      Case{"vit", image_info(3, 32, 10)}, Case{"transformer", text_info(24)}),
    [](const auto& item) {
      return item.param.name + "_" + std::to_string(item.param.info.input_shape.back()) + "_" +
             std::to_string(item.index);
    });

TEST(ResNet18, HasTheParametersOfTheUsualCifarShape) {
  const auto model = make_model({.name = "resnet18"}, image_info(3, 32, 100), 1);
  EXPECT_EQ(count_values(model->parameters()), 11'220'132);
}

TEST(ResNet20, HasTheParametersThatItsHeaderSays) {
  const auto model = make_model({.name = "resnet20"}, image_info(3, 32, 10), 1);
  EXPECT_EQ(count_values(model->parameters()), 272'474);
}

TEST(ResNet18, HasPyTorchsNames) {
  const auto model = make_model({.name = "resnet18"}, image_info(3, 32, 10), 1);
  std::set<std::string> names;
  for (const auto& item : model->parameters()) names.insert(item.name);
  for (const auto& item : model->buffers()) names.insert(item.name);
  for (const auto* name :
       {"conv1.weight", "bn1.bias", "layer1.0.conv1.weight", "layer2.0.downsample.0.weight",
        "layer2.0.downsample.1.running_var", "layer4.1.bn2.num_batches_tracked", "fc.bias"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

TEST(Transformer, DoesNotSeeTheFuture) {
  const auto model = make_model({.name = "transformer"}, text_info(16), 1);
  model->train(false);
  const torch::NoGradGuard no_grad;
  const auto tokens = random_inputs(text_info(16), 2);
  auto changed = tokens.clone();
  changed.narrow(1, 10, 6).add_(1).remainder_(256);
  const auto before = model->forward(tokens);
  const auto after = model->forward(changed);
  EXPECT_TRUE(torch::allclose(before.narrow(1, 0, 10), after.narrow(1, 0, 10), 1e-5, 1e-6));
  EXPECT_FALSE(torch::allclose(before.narrow(1, 10, 6), after.narrow(1, 10, 6), 1e-3, 1e-3));
}

TEST(Transformer, SeesThePast) {
  const auto model = make_model({.name = "transformer"}, text_info(16), 1);
  model->train(false);
  const torch::NoGradGuard no_grad;
  const auto tokens = random_inputs(text_info(16), 1);
  auto changed = tokens.clone();
  changed.select(1, 0).add_(1).remainder_(256);
  const auto difference = (model->forward(tokens) - model->forward(changed)).abs().amax({0, 2});
  EXPECT_GT(difference.min().item<double>(), 0.0);
}

}  // namespace
}  // namespace convoy::trainer
