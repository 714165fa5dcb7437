// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/script.h>
#include <torch/torch.h>

#include <vector>

#include "trainer/named_tensor.h"

namespace convoy::trainer {

/// Named parameters or buffers of a module and all its children, in registration order; each tensor
/// once, under its first name (tied ones are listed twice by LibTorch), undefined ones left out.
[[nodiscard]] std::vector<NamedTensor> named_parameters(const torch::nn::Module& module);
[[nodiscard]] std::vector<NamedTensor> named_parameters(const torch::jit::Module& module);
[[nodiscard]] std::vector<NamedTensor> named_buffers(const torch::nn::Module& module);
[[nodiscard]] std::vector<NamedTensor> named_buffers(const torch::jit::Module& module);

}  // namespace convoy::trainer
