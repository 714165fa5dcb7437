// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <filesystem>
#include <string>

#include "base/errors.h"
#include "base/file.h"
#include "tests/trainer/models/model_kit.h"
#include "trainer/checkpoint/state_dict.h"
#include "trainer/models/model.h"
#include "trainer/models/native_model.h"

namespace convoy::trainer {
namespace {

using testing_kit::image_info;
using testing_kit::message_of;
using testing_kit::random_inputs;
using testing_kit::temporary;
using testing_kit::text_info;

TEST(CheckModel, RefusesSizesThatCannotBe) {
  EXPECT_EQ(message_of([] { check_model({.name = "cnnn"}); }),
            "model.name = \"cnnn\" is unknown: mlp, cnn, resnet20, resnet18, transformer or vit");
  EXPECT_EQ(message_of([] { check_model({.name = "mlp", .hidden = 0}); }),
            "model.hidden must be positive, not 0");
  EXPECT_EQ(message_of([] { check_model({.name = "vit", .dim = 30, .heads = 4}); }),
            "model.heads must divide model.dim: 4 does not divide 30");
  EXPECT_THROW(check_model({.name = "cnn", .dropout = 1.0}), ConfigError);
  EXPECT_THROW(check_model({.name = "cnn", .init = "/nowhere/model.pt"}), ConfigError);
  EXPECT_NO_THROW(check_model({.name = "transformer"}));
}

TEST(MakeModel, RefusesDataThatTheNetworkCannotRead) {
  const auto make = [](const ModelConfig& config, const DataInfo& info) {
    return message_of([&] { (void)make_model(config, info, 1); });
  };
  EXPECT_EQ(make({.name = "transformer"}, image_info(1, 28, 10)),
            "model.name = \"transformer\" needs text, the data has [1, 28, 28]");
  EXPECT_EQ(make({.name = "resnet20"}, text_info(32)),
            "model.name = \"resnet20\" needs images [C, H, W], the data has [32]");
  EXPECT_EQ(make({.name = "mlp"}, text_info(32)), "model.name = \"mlp\" cannot read text");
  EXPECT_EQ(make({.name = "vit", .patch = 5}, image_info(1, 28, 10)),
            "model.patch must divide the image's sides: 5 does not divide [1, 28, 28]");
}

TEST(MakeModel, MakesARegression) {
  const DataInfo info{.task = Task::kRegress, .input_shape = {6}, .classes = 1};
  const auto model = make_model({.name = "mlp", .hidden = 8}, info, 1);
  EXPECT_EQ(model->forward(torch::randn({5, 6})).sizes(), at::IntArrayRef({5, 1}));
}

TEST(ModelInit, TakesWeightsThatAModelHasSaved) {
  const auto info = image_info(3, 16, 10);
  const auto path = temporary("resnet20.pt");
  const auto trained = make_model({.name = "resnet20"}, info, 1);
  (void)trained->forward(random_inputs(info, 4));  // moves the running statistics
  trained->save(path);
  const auto again = make_model({.name = "resnet20", .init = path}, info, 2);
  trained->train(false);
  again->train(false);
  const auto inputs = random_inputs(info, 2);
  EXPECT_TRUE(torch::equal(trained->forward(inputs), again->forward(inputs)));
}

TEST(ModelInit, NamesWhatDoesNotFit) {
  const auto info = image_info(1, 28, 10);
  const auto path = temporary("mlp.pt");
  make_model({.name = "mlp", .hidden = 16, .layers = 1}, info, 1)->save(path);
  EXPECT_EQ(message_of([&] {
              (void)make_model({.name = "mlp", .init = path, .hidden = 8, .layers = 1}, info, 1);
            }),
            "model.init: " + path +
                " does not fit the model: hidden.0.weight is [16, 784] instead of [8, 784]; "
                "hidden.0.bias is [16] instead of [8]; head.weight is [10, 16] instead of [10, 8]");
  const auto other = message_of([&] { (void)make_model({.name = "cnn", .init = path}, info, 1); });
  EXPECT_NE(other.find("conv1.weight is missing"), std::string::npos) << other;
  EXPECT_NE(other.find("more"), std::string::npos) << other;
}

TEST(ModelInit, RefusesAnUnknownEntry) {
  const auto info = image_info(1, 28, 10);
  const auto path = temporary("extra.pt");
  auto tensors = make_model({.name = "mlp"}, info, 1)->parameters();
  tensors.push_back({"extra.weight", torch::zeros({2})});
  save_state_dict(path, tensors);
  EXPECT_EQ(
      message_of([&] { (void)make_model({.name = "mlp", .init = path}, info, 1); }),
      "model.init: " + path + " does not fit the model: extra.weight is unknown to the model");
}

TEST(NativeModel, ListsATiedParameterOnce) {
  class Tied : public Network {
   public:
    Tied() {
      first_ = register_module("first", torch::nn::Linear(4, 4));
      second_ = register_module("second", torch::nn::Linear(4, 4));
      second_->weight = second_->register_parameter("tied", first_->weight);
    }
    torch::Tensor forward(const torch::Tensor& inputs) override {
      return torch::linear(first_(inputs), first_->weight);
    }

   private:
    torch::nn::Linear first_{nullptr}, second_{nullptr};
  };
  const NativeModel model(std::make_shared<Tied>(), 1);
  int tied = 0;
  for (const auto& item : model.parameters()) tied += item.name == "second.tied" ? 1 : 0;
  EXPECT_EQ(tied, 0);
  EXPECT_EQ(model.parameters().front().name, "first.weight");
}

}  // namespace
}  // namespace convoy::trainer
