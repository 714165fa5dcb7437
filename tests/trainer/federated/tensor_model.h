// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "trainer/models/model.h"

namespace convoy::tests {

/// A model that is nothing but its tensors.
class TensorModel final : public trainer::Model {
 public:
  TensorModel(std::vector<trainer::NamedTensor> parameters,
              std::vector<trainer::NamedTensor> buffers)
      : parameters_(std::move(parameters)), buffers_(std::move(buffers)) {}

  [[nodiscard]] torch::Tensor forward(const torch::Tensor& inputs) override { return inputs; }
  void train(bool) override {}
  [[nodiscard]] std::vector<trainer::NamedTensor> parameters() const override {
    return parameters_;
  }
  [[nodiscard]] std::vector<trainer::NamedTensor> buffers() const override { return buffers_; }
  void seed_dropout(std::uint64_t) override {}
  void set_batch_statistics(trainer::BatchStatistics*) override {}
  void save(const std::string&) const override {}

 private:
  std::vector<trainer::NamedTensor> parameters_;
  std::vector<trainer::NamedTensor> buffers_;
};

/// float32 [values]
inline torch::Tensor tensor_of(const std::vector<double>& values) {
  return torch::tensor(values, torch::kDouble).to(torch::kFloat);
}

inline std::vector<double> values_of(const torch::Tensor& tensor) {
  const auto flat = tensor.to(torch::kDouble).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

inline std::vector<double> random_values(std::size_t count, double scale, Random& random) {
  std::vector<double> values(count);
  for (double& value : values)
    value = static_cast<double>(static_cast<float>(scale * random.normal()));
  return values;
}

}  // namespace convoy::tests
