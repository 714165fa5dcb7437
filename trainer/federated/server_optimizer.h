// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstddef>
#include <string>
#include <vector>

#include "trainer/federated/server_optimizer_config.h"
#include "trainer/named_tensor.h"

namespace convoy::trainer {

/// FedAvgM, FedAdagrad, FedAdam and FedYogi (arXiv:2003.00295, algorithm 2; no bias correction).
/// State is kept by parameter name. One thread.
class ServerOptimizer {
 public:
  /// `parameters` give names, shapes and types; their values do not matter.
  /// @throws ConfigError.
  ServerOptimizer(const ServerOptimizerConfig& config, const std::vector<NamedTensor>& parameters);

  /// @param steps  D of each parameter; replaced by what is to be added to it.
  void apply(std::vector<torch::Tensor>& steps);

  /// "<parameter>/m", "<parameter>/v". Shares memory with the optimizer.
  [[nodiscard]] std::vector<NamedTensor> state() const;
  /// @throws ConfigError that names an entry which is missing or of another shape.
  void load_state(const std::vector<NamedTensor>& state);
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  void update_second_moment(torch::Tensor& v, const torch::Tensor& squared) const;

  ServerOptimizerConfig config_;
  std::vector<std::string> names_;
  std::vector<torch::Tensor> first_;   ///< m; none for "none"
  std::vector<torch::Tensor> second_;  ///< v; of the adaptive ones
};

}  // namespace convoy::trainer
