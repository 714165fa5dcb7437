// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/model_update.h"

#include <algorithm>
#include <cmath>

#include "base/errors.h"

namespace convoy::trainer {
namespace {

std::vector<torch::Tensor> copies(const std::vector<NamedTensor>& tensors) {
  std::vector<torch::Tensor> result;
  for (const auto& item : tensors) result.push_back(item.tensor.detach().clone());
  return result;
}

void put(const std::vector<torch::Tensor>& values, const std::vector<NamedTensor>& into) {
  require(values.size() == into.size(), "put_state: the state belongs to another model");
  for (std::size_t i = 0; i < values.size(); ++i) {
    torch::Tensor target = into[i].tensor;
    target.copy_(values[i]);
  }
}

/// One pass without a temporary for the common types: NaN spreads to both ends of the range.
bool finite(const torch::Tensor& tensor) {
  if (!tensor.is_floating_point() || tensor.numel() == 0) return true;
  if (tensor.scalar_type() != torch::kFloat && tensor.scalar_type() != torch::kDouble) {
    return torch::isfinite(tensor).all().item<bool>();
  }
  const auto [least, most] = torch::aminmax(tensor);
  return std::isfinite(least.item<double>()) && std::isfinite(most.item<double>());
}

bool alike(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.sizes() == y.sizes() && x.scalar_type() == y.scalar_type();
  });
}

}  // namespace

ModelState copy_state(const Model& model) {
  return {.parameters = copies(model.parameters()), .buffers = copies(model.buffers())};
}

void put_state(const ModelState& state, Model& model) {
  const torch::NoGradGuard no_grad;
  put(state.parameters, model.parameters());
  put(state.buffers, model.buffers());
}

bool is_finite(const ModelUpdate& update) {
  return std::all_of(update.delta.begin(), update.delta.end(), finite) &&
         std::all_of(update.buffers.begin(), update.buffers.end(), finite);
}

bool fits(const ModelUpdate& update, const ModelState& state) {
  return alike(update.delta, state.parameters) && alike(update.buffers, state.buffers);
}

std::size_t bytes_of(const std::vector<torch::Tensor>& tensors) {
  std::size_t bytes = 0;
  for (const auto& tensor : tensors) {
    bytes += static_cast<std::size_t>(tensor.numel()) * tensor.element_size();
  }
  return bytes;
}

}  // namespace convoy::trainer
