// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/mlp.h"

#include <functional>
#include <numeric>

#include "trainer/models/dropout.h"

namespace convoy::trainer {
namespace {

class Mlp : public Network {
 public:
  Mlp(std::int64_t features, std::int64_t layers, std::int64_t hidden, std::int64_t classes,
      double dropout) {
    register_module("hidden", hidden_);
    for (std::int64_t layer = 0; layer < layers; ++layer) {
      hidden_->push_back(torch::nn::Linear(layer == 0 ? features : hidden, hidden));
    }
    dropout_ = register_module("dropout", Dropout(dropout));
    head_ = register_module("head", torch::nn::Linear(hidden, classes));
  }

  torch::Tensor forward(const torch::Tensor& inputs) override {
    auto x = inputs.flatten(1);
    for (const auto& layer : *hidden_) {
      x = dropout_(torch::relu(layer->as<torch::nn::LinearImpl>()->forward(x)));
    }
    return head_(x);
  }

 private:
  torch::nn::ModuleList hidden_;
  Dropout dropout_{nullptr};
  torch::nn::Linear head_{nullptr};
};

}  // namespace

std::shared_ptr<Network> make_mlp(const ModelConfig& config, const DataInfo& info) {
  const auto features = std::accumulate(info.input_shape.begin(), info.input_shape.end(),
                                        std::int64_t{1}, std::multiplies<>());
  return std::make_shared<Mlp>(features, config.layers, config.hidden, info.classes,
                               config.dropout);
}

}  // namespace convoy::trainer
