// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "trainer/torch_compat.h"

namespace convoy::trainer::internal {

/// Calls `ready(index)` whenever backward has added to the gradient of parameter `index`, in the
/// thread that runs backward on the parameter's device. Removes its hooks when destroyed.
class GradientHooks {
 public:
  /// @throws ContractError if a parameter is no leaf that requires a gradient.
  GradientHooks(const std::vector<torch::Tensor>& parameters,
                std::function<void(std::size_t)> ready);
  ~GradientHooks();
  GradientHooks(const GradientHooks&) = delete;
  GradientHooks& operator=(const GradientHooks&) = delete;

 private:
  struct Hooked {
    // A parameter knows its accumulator only weakly: without an owner the hook would die with the
    // first graph.
    AutogradNode accumulator;
    std::uintptr_t key;
  };

  std::function<void(std::size_t)> ready_;
  std::vector<Hooked> hooked_;
};

}  // namespace convoy::trainer::internal
