// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unordered_set>
#include <vector>

#include "trainer/named_tensor.h"

namespace convoy::trainer::internal {

/// Collects named tensors, each once: a tied parameter keeps its first name.
class UniqueTensors {
 public:
  void add(const std::string& name, const torch::Tensor& tensor) {
    if (tensor.defined() && seen_.insert(tensor.unsafeGetTensorImpl()).second) {
      tensors_.push_back({name, tensor});
    }
  }
  [[nodiscard]] std::vector<NamedTensor> take() { return std::move(tensors_); }

 private:
  std::unordered_set<const void*> seen_;
  std::vector<NamedTensor> tensors_;
};

}  // namespace convoy::trainer::internal
