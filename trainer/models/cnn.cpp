// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/cnn.h"

#include "trainer/models/dropout.h"

namespace convoy::trainer {
namespace {

constexpr std::int64_t kHidden = 128;

torch::nn::Conv2d convolution(std::int64_t in, std::int64_t out) {
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 3).padding(1));
}

/// Pooling first: the same values as ReLU first, with a quarter of its work.
torch::Tensor pool_and_relu(const torch::Tensor& x) {
  return torch::relu(torch::max_pool2d(x, /*kernel_size=*/2));
}

class Cnn : public Network {
 public:
  Cnn(const std::vector<std::int64_t>& image, std::int64_t width, std::int64_t classes,
      double dropout) {
    const std::int64_t features = 2 * width * (image[1] / 4) * (image[2] / 4);
    conv1_ = register_module("conv1", convolution(image[0], width));
    conv2_ = register_module("conv2", convolution(width, 2 * width));
    fc1_ = register_module("fc1", torch::nn::Linear(features, kHidden));
    dropout_ = register_module("dropout", Dropout(dropout));
    fc2_ = register_module("fc2", torch::nn::Linear(kHidden, classes));
  }

  torch::Tensor forward(const torch::Tensor& inputs) override {
    auto x = pool_and_relu(conv1_(inputs));
    x = pool_and_relu(conv2_(x)).flatten(1);
    return fc2_(dropout_(torch::relu(fc1_(x))));
  }

 private:
  torch::nn::Conv2d conv1_{nullptr}, conv2_{nullptr};
  torch::nn::Linear fc1_{nullptr}, fc2_{nullptr};
  Dropout dropout_{nullptr};
};

}  // namespace

std::shared_ptr<Network> make_cnn(const ModelConfig& config, const DataInfo& info) {
  return std::make_shared<Cnn>(info.input_shape, config.width, info.classes, config.dropout);
}

}  // namespace convoy::trainer
