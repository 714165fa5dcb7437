// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

namespace convoy::trainer {

/// Dropout that draws from a generator of its own model instead of LibTorch's process-wide one, so
/// that ranks that are threads do not disturb one another.
class DropoutImpl : public torch::nn::Module {
 public:
  /// Each value is set to 0 with `probability`, in [0, 1); the others grow by 1/(1-probability).
  explicit DropoutImpl(double probability);
  /// The identity in evaluation mode or with probability 0.
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& inputs);
  /// Where random numbers come from, shared by the dropout layers of one model.
  void set_generator(const at::Generator& generator) { generator_ = generator; }

 private:
  double probability_;
  at::Generator generator_;
};
TORCH_MODULE(Dropout);

}  // namespace convoy::trainer
