// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "trainer/models/batch_norm.h"
#include "trainer/models/model.h"
#include "trainer/models/network.h"

namespace convoy::trainer {

/// One of our networks as a Model.
class NativeModel : public Model {
 public:
  /// Draws all parameters from `seed`.
  NativeModel(std::shared_ptr<Network> network, std::uint64_t seed);

  [[nodiscard]] torch::Tensor forward(const torch::Tensor& inputs) override;
  void train(bool on) override { network_->train(on); }
  [[nodiscard]] std::vector<NamedTensor> parameters() const override;
  [[nodiscard]] std::vector<NamedTensor> buffers() const override;
  void seed_dropout(std::uint64_t key) override;
  void set_batch_statistics(BatchStatistics* statistics) override;
  void empty_step() override;
  void save(const std::string& path) const override;

 private:
  void move_to(torch::Device device) override { network_->to(device); }

  std::shared_ptr<Network> network_;  // shared: LibTorch's modules can live no other way
  at::Generator dropout_generator_;
  std::vector<BatchNorm> batch_norms_;  // in the order in which forward runs them
};

}  // namespace convoy::trainer
