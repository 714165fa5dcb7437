// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/attention_block.h"

#include <cmath>
#include <limits>

namespace convoy::trainer {
namespace {

/// [T, T], true where a token must not look: right of the diagonal.
torch::Tensor future_mask(std::int64_t length, const torch::Tensor& like) {
  return torch::ones({length, length}, like.options().dtype(torch::kBool)).triu_(1);
}

}  // namespace

SelfAttentionImpl::SelfAttentionImpl(const AttentionOptions& options) : options_(options) {
  qkv_ = register_module("qkv", torch::nn::Linear(options.dim, 3 * options.dim));
  proj_ = register_module("proj", torch::nn::Linear(options.dim, options.dim));
}

torch::Tensor SelfAttentionImpl::forward(const torch::Tensor& inputs) {
  const std::int64_t batch = inputs.size(0);
  const std::int64_t length = inputs.size(1);
  const std::int64_t head_dim = options_.dim / options_.heads;
  // [3, B, heads, T, head_dim]
  const auto parts =
      qkv_(inputs).view({batch, length, 3, options_.heads, head_dim}).permute({2, 0, 3, 1, 4});
  const auto query = parts[0] / std::sqrt(static_cast<double>(head_dim));
  auto scores = torch::matmul(query, parts[1].transpose(-2, -1));
  if (options_.causal) {
    scores =
        scores.masked_fill(future_mask(length, scores), -std::numeric_limits<float>::infinity());
  }
  const auto mixed = torch::matmul(torch::softmax(scores, -1), parts[2]);
  return proj_(mixed.transpose(1, 2).reshape({batch, length, options_.dim}));
}

AttentionBlockImpl::AttentionBlockImpl(const AttentionOptions& options) {
  norm1_ = register_module("norm1", layer_norm(options.dim));
  attention_ = register_module("attention", SelfAttention(options));
  norm2_ = register_module("norm2", layer_norm(options.dim));
  fc1_ = register_module("fc1", torch::nn::Linear(options.dim, 4 * options.dim));
  fc2_ = register_module("fc2", torch::nn::Linear(4 * options.dim, options.dim));
  dropout_ = register_module("dropout", Dropout(options.dropout));
}

torch::Tensor AttentionBlockImpl::forward(const torch::Tensor& inputs) {
  const auto x = inputs + dropout_(attention_(norm1_(inputs)));
  return x + dropout_(fc2_(torch::gelu(fc1_(norm2_(x)))));
}

torch::nn::Sequential attention_stack(std::int64_t count, const AttentionOptions& options) {
  torch::nn::Sequential stack;
  for (std::int64_t block = 0; block < count; ++block) stack->push_back(AttentionBlock(options));
  return stack;
}

torch::nn::LayerNorm layer_norm(std::int64_t dim) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({dim}));
}

}  // namespace convoy::trainer
