// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/script.h>

#include <filesystem>

namespace convoy::tests {

/// For small_job(): its loss is finite, the gradient of `poison` is not.
inline void save_poisoned_module(const std::filesystem::path& file) {
  torch::jit::Module module("m");
  module.register_parameter("weight", torch::zeros({5, 12}).requires_grad_(), false);
  module.register_parameter("poison", torch::ones({3}).requires_grad_(), false);
  module.define(R"(
    def forward(self, x):
      return torch.matmul(x, self.weight.t()) + torch.sqrt(torch.abs(self.poison - 1.0)).sum()
  )");
  module.save(file.string());
}

}  // namespace convoy::tests
