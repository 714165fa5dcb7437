// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <memory>
#include <vector>

#include "trainer/named_tensor.h"
#include "trainer/optim/optim_config.h"

namespace convoy::trainer {

/// A torch::optim optimizer whose state can be taken out and put back by parameter name, alike
/// under LibTorch 1.13 (keyed by string inside) and 2.x (by pointer).
class Optimizer {
 public:
  /// @throws ConfigError for an unknown name or values out of range.
  Optimizer(const OptimizerConfig& config, std::vector<NamedTensor> parameters);
  ~Optimizer();

  void set_learning_rate(double lr);
  /// Parameters without a gradient are left alone.
  void step();
  /// Keeps the gradients' memory where the version of LibTorch can.
  void zero_grad();
  /// "<parameter>/momentum", "<parameter>/exp_avg", "<parameter>/exp_avg_sq", "<parameter>/step"
  /// (int64 scalar); what a parameter has not got yet is absent. Copies.
  [[nodiscard]] std::vector<NamedTensor> state() const;
  /// @throws ConfigError that names an entry of unknown name or wrong shape.
  void load_state(const std::vector<NamedTensor>& state);

 private:
  OptimizerConfig config_;
  std::vector<NamedTensor> parameters_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
};

/// Scales all gradients so that their common L2 norm is at most `max_norm`; returns the norm
/// before.
double clip_gradients(const std::vector<NamedTensor>& parameters, double max_norm);

}  // namespace convoy::trainer
