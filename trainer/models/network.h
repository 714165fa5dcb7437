// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

namespace convoy::trainer {

/// One of our networks: a module with a virtual forward, which torch::nn::Module has not.
/// A network runs its BatchNorm layers in the order in which they are registered: a rank with an
/// empty batch knows from it which sums the other ranks make (see NativeModel::empty_step()).
class Network : public torch::nn::Module {
 public:
  /// [B, ...] inputs of the shape that the network was built for -> [B, classes] or
  /// [B, T, classes].
  [[nodiscard]] virtual torch::Tensor forward(const torch::Tensor& inputs) = 0;
};

}  // namespace convoy::trainer
