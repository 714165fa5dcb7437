// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/resnet20.h"

#include "trainer/models/residual_block.h"

namespace convoy::trainer {
namespace {

class ResNet20 : public Network {
 public:
  ResNet20(std::int64_t channels, std::int64_t classes) {
    conv1_ = register_module("conv1", conv3x3(channels, 16, 1));
    bn1_ = register_module("bn1", BatchNorm(16));
    layer1_ = register_module("layer1", residual_stage(16, 16, 3, 1));
    layer2_ = register_module("layer2", residual_stage(16, 32, 3, 2));
    layer3_ = register_module("layer3", residual_stage(32, 64, 3, 2));
    fc_ = register_module("fc", torch::nn::Linear(64, classes));
  }

  torch::Tensor forward(const torch::Tensor& inputs) override {
    auto x = bn1_(conv1_(inputs)).relu_();
    x = layer3_->forward(layer2_->forward(layer1_->forward(x)));
    return fc_(x.mean({2, 3}));
  }

 private:
  torch::nn::Conv2d conv1_{nullptr};
  BatchNorm bn1_{nullptr};
  torch::nn::Sequential layer1_{nullptr}, layer2_{nullptr}, layer3_{nullptr};
  torch::nn::Linear fc_{nullptr};
};

}  // namespace

std::shared_ptr<Network> make_resnet20(const DataInfo& info) {
  return std::make_shared<ResNet20>(info.input_shape[0], info.classes);
}

}  // namespace convoy::trainer
