// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "trainer/models/dropout.h"

namespace convoy::trainer {

/// Sizes of one block of a transformer.
struct AttentionOptions {
  std::int64_t dim = 0;    ///< width of a token
  std::int64_t heads = 0;  ///< divides dim
  double dropout = 0.0;    ///< on what a branch adds to the residual stream
  bool causal = false;     ///< a token sees itself and earlier ones only
};

/// Scaled dot-product attention with several heads (arXiv:1706.03762). Parameters: qkv, proj.
class SelfAttentionImpl : public torch::nn::Module {
 public:
  explicit SelfAttentionImpl(const AttentionOptions& options);
  /// [B, T, dim] -> [B, T, dim]; O(T^2) memory.
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& inputs);

 private:
  AttentionOptions options_;
  torch::nn::Linear qkv_{nullptr}, proj_{nullptr};
};
TORCH_MODULE(SelfAttention);

/// One pre-norm block: x += attention(norm1(x)); x += mlp(norm2(x)), the latter with GELU and a
/// hidden width of 4 dim. Parameters: norm1, attention, norm2, fc1, fc2.
class AttentionBlockImpl : public torch::nn::Module {
 public:
  explicit AttentionBlockImpl(const AttentionOptions& options);
  /// [B, T, dim] -> [B, T, dim]
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& inputs);

 private:
  torch::nn::LayerNorm norm1_{nullptr}, norm2_{nullptr};
  SelfAttention attention_{nullptr};
  torch::nn::Linear fc1_{nullptr}, fc2_{nullptr};
  Dropout dropout_{nullptr};
};
TORCH_MODULE(AttentionBlock);

/// `count` equal blocks in a row.
[[nodiscard]] torch::nn::Sequential attention_stack(std::int64_t count,
                                                    const AttentionOptions& options);

/// LayerNorm over the last dimension.
[[nodiscard]] torch::nn::LayerNorm layer_norm(std::int64_t dim);

}  // namespace convoy::trainer
