// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <string>

namespace convoy::trainer {

/// A parameter or buffer with the name by which all its state is kept. Shares the tensor's memory.
struct NamedTensor {
  std::string name;
  torch::Tensor tensor;
};

}  // namespace convoy::trainer
