// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/transformer.h"

#include "base/errors.h"
#include "trainer/models/attention_block.h"

namespace convoy::trainer {
namespace {

class Transformer : public Network {
 public:
  Transformer(const ModelConfig& config, std::int64_t length, std::int64_t tokens) {
    token_embedding_ = register_module("token_embedding", torch::nn::Embedding(tokens, config.dim));
    position_embedding_ =
        register_parameter("position_embedding", torch::zeros({length, config.dim}));
    dropout_ = register_module("dropout", Dropout(config.dropout));
    blocks_ = register_module("blocks", attention_stack(config.layers, {.dim = config.dim,
                                                                        .heads = config.heads,
                                                                        .dropout = config.dropout,
                                                                        .causal = true}));
    norm_ = register_module("norm", layer_norm(config.dim));
  }

  torch::Tensor forward(const torch::Tensor& inputs) override {
    const std::int64_t length = inputs.size(1);
    require(length <= position_embedding_.size(0), "transformer: the window is too long");
    auto x = token_embedding_(inputs) + position_embedding_.narrow(0, 0, length);
    x = norm_(blocks_->forward(dropout_(x)));
    return torch::linear(x, token_embedding_->weight);
  }

 private:
  torch::nn::Embedding token_embedding_{nullptr};
  torch::Tensor position_embedding_;
  Dropout dropout_{nullptr};
  torch::nn::Sequential blocks_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
};

}  // namespace

std::shared_ptr<Network> make_transformer(const ModelConfig& config, const DataInfo& info) {
  return std::make_shared<Transformer>(config, info.input_shape[0], info.classes);
}

}  // namespace convoy::trainer
