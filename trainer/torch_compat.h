// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/autocast_mode.h>
#include <torch/torch.h>
#include <torch/version.h>

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

/// What keeps a node of autograd's graph alive: a std::shared_ptr in LibTorch 1.13, an intrusive
/// pointer in the newest 2.x.
using AutogradNode =
    decltype(torch::autograd::impl::grad_accumulator(std::declval<const torch::Tensor&>()));

/// Switches this thread's operations on the CPU, or on CUDA's devices, to `type` where that is
/// safe, or back.
inline void set_autocast(at::DeviceType device, at::ScalarType type, bool enabled) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  at::autocast::set_autocast_dtype(device, type);
  at::autocast::set_autocast_enabled(device, enabled);
#else
  if (device == at::kCPU) {
    at::autocast::set_autocast_cpu_dtype(type);
    at::autocast::set_cpu_enabled(enabled);
  } else {
    at::autocast::set_autocast_gpu_dtype(type);
    at::autocast::set_enabled(enabled);
  }
#endif
}

}  // namespace convoy::trainer
