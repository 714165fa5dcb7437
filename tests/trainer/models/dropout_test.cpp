// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/dropout.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "base/errors.h"
#include "tests/trainer/models/model_kit.h"
#include "trainer/models/model.h"

namespace convoy::trainer {
namespace {

using testing_kit::image_info;
using testing_kit::random_inputs;
using testing_kit::text_info;

TEST(Dropout, RepeatsWithItsKeyOnly) {
  for (const auto* name : {"mlp", "cnn", "vit", "transformer"}) {
    const auto info = std::string(name) == "transformer" ? text_info(16) : image_info(1, 28, 10);
    const auto model = make_model({.name = name, .dropout = 0.4}, info, 1);
    const auto inputs = random_inputs(info, 4);
    const auto forward = [&](std::uint64_t key) {
      model->seed_dropout(key);
      return model->forward(inputs);
    };
    const auto first = forward(1);
    torch::manual_seed(99);  // the process-wide generator does not matter
    EXPECT_TRUE(torch::equal(first, forward(1))) << name;
    EXPECT_FALSE(torch::equal(first, forward(2))) << name;
    EXPECT_FALSE(torch::equal(first, forward(1 + (std::uint64_t{1} << 40)))) << name;
  }
}

TEST(Dropout, LeavesTheProcessWideGeneratorAlone) {
  const auto info = image_info(1, 28, 10);
  const auto model = make_model({.name = "mlp", .dropout = 0.5}, info, 1);
  const auto inputs = random_inputs(info, 4);
  const auto before = at::detail::getDefaultCPUGenerator().get_state();
  (void)model->forward(inputs);
  EXPECT_TRUE(torch::equal(before, at::detail::getDefaultCPUGenerator().get_state()));
  EXPECT_FALSE(model->draws_from_shared_generator());
}

TEST(Dropout, DropsTheSameInSixteenBits) {
  const auto drop = [](const torch::Tensor& inputs) {
    Dropout dropout(0.5);
    dropout->set_generator(at::detail::createCPUGenerator(7));
    return dropout->forward(inputs);
  };
  const auto expected = drop(torch::ones({4, 8}));
  const auto half = drop(torch::ones({4, 8}, torch::kHalf));
  EXPECT_EQ(half.scalar_type(), torch::kHalf);
  EXPECT_TRUE(half.to(torch::kFloat).equal(expected));
}

TEST(Dropout, IsOffInEvaluation) {
  const auto info = image_info(1, 28, 10);
  const auto with = make_model({.name = "cnn", .dropout = 0.5}, info, 1);
  const auto without = make_model({.name = "cnn"}, info, 1);
  with->train(false);
  const auto inputs = random_inputs(info, 4);
  EXPECT_TRUE(torch::equal(with->forward(inputs), without->forward(inputs)));
}

TEST(Dropout, KeepsTheMeanAndDropsItsShare) {
  Dropout layer(0.25);
  layer->set_generator(at::detail::createCPUGenerator(3));
  const auto output = layer->forward(torch::ones({100'000}));
  // Four standard deviations of the count of zeros: 4 * sqrt(n p (1-p)) / n.
  EXPECT_NEAR((output == 0).to(torch::kFloat64).mean().item<double>(), 0.25, 0.0055);
  EXPECT_NEAR(output.mean().item<double>(), 1.0, 0.0075);
  EXPECT_FLOAT_EQ(output.max().item<float>(), 1.0F / 0.75F);
}

TEST(Dropout, RefusesWhatIsNoProbability) {
  EXPECT_THROW(Dropout(1.0), ContractError);
  EXPECT_THROW(Dropout(-0.1), ContractError);
}

}  // namespace
}  // namespace convoy::trainer
