// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/resnet18.h"

#include "trainer/models/residual_block.h"

namespace convoy::trainer {
namespace {

class ResNet18 : public Network {
 public:
  ResNet18(std::int64_t channels, std::int64_t classes) {
    conv1_ = register_module("conv1", conv3x3(channels, 64, 1));
    bn1_ = register_module("bn1", BatchNorm(64));
    layer1_ = register_module("layer1", residual_stage(64, 64, 2, 1));
    layer2_ = register_module("layer2", residual_stage(64, 128, 2, 2));
    layer3_ = register_module("layer3", residual_stage(128, 256, 2, 2));
    layer4_ = register_module("layer4", residual_stage(256, 512, 2, 2));
    fc_ = register_module("fc", torch::nn::Linear(512, classes));
  }

  torch::Tensor forward(const torch::Tensor& inputs) override {
    auto x = bn1_(conv1_(inputs)).relu_();
    x = layer2_->forward(layer1_->forward(x));
    x = layer4_->forward(layer3_->forward(x));
    return fc_(x.mean({2, 3}));
  }

 private:
  torch::nn::Conv2d conv1_{nullptr};
  BatchNorm bn1_{nullptr};
  torch::nn::Sequential layer1_{nullptr}, layer2_{nullptr}, layer3_{nullptr}, layer4_{nullptr};
  torch::nn::Linear fc_{nullptr};
};

}  // namespace

std::shared_ptr<Network> make_resnet18(const DataInfo& info) {
  return std::make_shared<ResNet18>(info.input_shape[0], info.classes);
}

}  // namespace convoy::trainer
