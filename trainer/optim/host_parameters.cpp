// SPDX-License-Identifier: Apache-2.0
#include "trainer/optim/host_parameters.h"

namespace convoy::trainer {

HostParameters::HostParameters(const std::vector<NamedTensor>& on_device) : on_device_(on_device) {
  for (const auto& [name, tensor] : on_device_) {
    // A copy also where the "device" is the host, as in tests.
    auto copy = tensor.detach().to(torch::kCPU, tensor.scalar_type(), false, true);
    on_host_.push_back({name, copy.requires_grad_(tensor.requires_grad())});
  }
}

void HostParameters::refresh() {
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < on_host_.size(); ++i) on_host_[i].tensor.copy_(on_device_[i].tensor);
}

void HostParameters::take_gradient(std::size_t parameter) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor& from = on_device_[parameter].tensor.grad();
  torch::Tensor& to = on_host_[parameter].tensor.mutable_grad();
  if (!from.defined()) return to.reset();
  if (!to.defined()) to = torch::empty_like(on_host_[parameter].tensor);
  to.copy_(from);
}

void HostParameters::give_value(std::size_t parameter) const {
  const torch::NoGradGuard no_grad;
  torch::Tensor to = on_device_[parameter].tensor;
  to.copy_(on_host_[parameter].tensor);
}

}  // namespace convoy::trainer
