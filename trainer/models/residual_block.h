// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "trainer/models/batch_norm.h"

namespace convoy::trainer {

/// A 3x3 convolution without bias, padded so that stride 1 keeps the size.
[[nodiscard]] torch::nn::Conv2d conv3x3(std::int64_t in, std::int64_t out, std::int64_t stride);

/// The basic block of residual networks (arXiv:1512.03385): two 3x3 convolutions with BatchNorm;
/// the shortcut is a 1x1 convolution with BatchNorm where the shape changes.
class ResidualBlockImpl : public torch::nn::Module {
 public:
  ResidualBlockImpl(std::int64_t in, std::int64_t out, std::int64_t stride);
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& inputs);

 private:
  torch::nn::Conv2d conv1_{nullptr}, conv2_{nullptr};
  BatchNorm bn1_{nullptr}, bn2_{nullptr};
  torch::nn::Sequential downsample_{nullptr};
};
TORCH_MODULE(ResidualBlock);

/// `count` blocks in a row; the first has the stride and the change of channels.
[[nodiscard]] torch::nn::Sequential residual_stage(std::int64_t in, std::int64_t out,
                                                   std::int64_t count, std::int64_t stride);

}  // namespace convoy::trainer
