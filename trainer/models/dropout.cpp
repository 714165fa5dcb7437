// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/dropout.h"

#include "base/errors.h"

namespace convoy::trainer {

DropoutImpl::DropoutImpl(double probability) : probability_(probability) {
  require(probability >= 0.0 && probability < 1.0, "dropout must be in [0, 1)");
}

torch::Tensor DropoutImpl::forward(const torch::Tensor& inputs) {
  if (!is_training() || probability_ == 0.0) return inputs;
  require(generator_.defined(), "a Dropout in training needs set_generator()");
  const double keep = 1.0 - probability_;
  // Drawn on the host, whose generator it is: every device gets the same.
  // In float32 where LibTorch's host cannot draw.
  const bool is_half = inputs.scalar_type() == torch::kHalf;
  auto mask = torch::empty_like(inputs, inputs.options()
                                            .device(torch::kCPU)
                                            .dtype(is_half ? torch::kFloat : inputs.scalar_type())
                                            .requires_grad(false));
  return inputs * mask.bernoulli_(keep, generator_).div_(keep).to(inputs.options());
}

}  // namespace convoy::trainer
