// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/module_tensors.h"

#include <unordered_set>

namespace convoy::trainer {
namespace {

/// Collects tensors and leaves out those that have been seen under another name.
class UniqueTensors {
 public:
  void add(const std::string& name, const torch::Tensor& tensor) {
    if (!tensor.defined() || !seen_.insert(tensor.unsafeGetTensorImpl()).second) return;
    tensors_.push_back({name, tensor});
  }
  std::vector<NamedTensor> take() { return std::move(tensors_); }

 private:
  std::unordered_set<const c10::TensorImpl*> seen_;
  std::vector<NamedTensor> tensors_;
};

std::vector<NamedTensor> unique(const torch::OrderedDict<std::string, torch::Tensor>& items) {
  UniqueTensors tensors;
  for (const auto& item : items) tensors.add(item.key(), item.value());
  return tensors.take();
}

template <typename List>
std::vector<NamedTensor> unique_attributes(const List& list) {
  UniqueTensors tensors;
  for (const auto& item : list) tensors.add(item.name, item.value);
  return tensors.take();
}

}  // namespace

std::vector<NamedTensor> named_parameters(const torch::nn::Module& module) {
  return unique(module.named_parameters());
}

std::vector<NamedTensor> named_parameters(const torch::jit::Module& module) {
  return unique_attributes(module.named_parameters());
}

std::vector<NamedTensor> named_buffers(const torch::nn::Module& module) {
  return unique(module.named_buffers());
}

std::vector<NamedTensor> named_buffers(const torch::jit::Module& module) {
  return unique_attributes(module.named_buffers());
}

}  // namespace convoy::trainer
