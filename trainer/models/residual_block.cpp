// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/residual_block.h"

namespace convoy::trainer {

torch::nn::Conv2d conv3x3(std::int64_t in, std::int64_t out, std::int64_t stride) {
  return torch::nn::Conv2d(
      torch::nn::Conv2dOptions(in, out, 3).stride(stride).padding(1).bias(false));
}

ResidualBlockImpl::ResidualBlockImpl(std::int64_t in, std::int64_t out, std::int64_t stride) {
  conv1_ = register_module("conv1", conv3x3(in, out, stride));
  bn1_ = register_module("bn1", BatchNorm(out));
  conv2_ = register_module("conv2", conv3x3(out, out, 1));
  bn2_ = register_module("bn2", BatchNorm(out));
  if (stride == 1 && in == out) return;
  const auto options = torch::nn::Conv2dOptions(in, out, 1).stride(stride).bias(false);
  downsample_ = register_module("downsample",
                                torch::nn::Sequential(torch::nn::Conv2d(options), BatchNorm(out)));
}

torch::Tensor ResidualBlockImpl::forward(const torch::Tensor& inputs) {
  auto x = bn1_(conv1_(inputs)).relu_();
  x = bn2_(conv2_(x));
  // The shortcut comes last, as it is registered last: see Network.
  x += downsample_.is_empty() ? inputs : downsample_->forward(inputs);
  return torch::relu_(x);
}

torch::nn::Sequential residual_stage(std::int64_t in, std::int64_t out, std::int64_t count,
                                     std::int64_t stride) {
  torch::nn::Sequential stage(ResidualBlock(in, out, stride));
  for (std::int64_t block = 1; block < count; ++block) stage->push_back(ResidualBlock(out, out, 1));
  return stage;
}

}  // namespace convoy::trainer
