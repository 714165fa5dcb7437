// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/vit.h"

#include "trainer/models/attention_block.h"

namespace convoy::trainer {
namespace {

class Vit : public Network {
 public:
  Vit(const ModelConfig& config, const std::vector<std::int64_t>& image, std::int64_t classes) {
    const std::int64_t patches = (image[1] / config.patch) * (image[2] / config.patch);
    const auto cut =
        torch::nn::Conv2dOptions(image[0], config.dim, config.patch).stride(config.patch);
    patch_embedding_ = register_module("patch_embedding", torch::nn::Conv2d(cut));
    position_embedding_ =
        register_parameter("position_embedding", torch::zeros({patches, config.dim}));
    dropout_ = register_module("dropout", Dropout(config.dropout));
    blocks_ = register_module(
        "blocks",
        attention_stack(config.layers,
                        {.dim = config.dim, .heads = config.heads, .dropout = config.dropout}));
    norm_ = register_module("norm", layer_norm(config.dim));
    head_ = register_module("head", torch::nn::Linear(config.dim, classes));
  }

  torch::Tensor forward(const torch::Tensor& inputs) override {
    const auto patches = patch_embedding_(inputs).flatten(2).transpose(1, 2);  // [B, T, dim]
    const auto x = blocks_->forward(dropout_(patches + position_embedding_));
    return head_(norm_(x).mean(1));
  }

 private:
  torch::nn::Conv2d patch_embedding_{nullptr};
  torch::Tensor position_embedding_;
  Dropout dropout_{nullptr};
  torch::nn::Sequential blocks_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
  torch::nn::Linear head_{nullptr};
};

}  // namespace

std::shared_ptr<Network> make_vit(const ModelConfig& config, const DataInfo& info) {
  return std::make_shared<Vit>(config, info.input_shape, info.classes);
}

}  // namespace convoy::trainer
