// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <sstream>
#include <type_traits>
#include <utility>

namespace convoy::trainer {

/// The key type of torch::optim::Optimizer::state(): std::string in LibTorch 1.13, void* in 2.x.
using OptimizerStateKey =
    std::remove_cvref_t<decltype(std::declval<torch::optim::Optimizer&>().state())>::key_type;

/// The key under which LibTorch's own optimizers keep the state of `parameter`.
template <typename Key = OptimizerStateKey>
[[nodiscard]] Key optimizer_state_key(const torch::Tensor& parameter) {
  auto* const implementation = parameter.unsafeGetTensorImpl();
  if constexpr (std::is_pointer_v<Key>) {
    return implementation;
  } else {
    std::ostringstream text;  // 1.13 prints the address so
    text << implementation;
    return text.str();
  }
}

}  // namespace convoy::trainer
