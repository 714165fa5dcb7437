// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "trainer/models/batch_statistics.h"

namespace convoy::trainer {

/// Batch normalisation of [B, C, H, W] (arXiv:1502.03167) with PyTorch's names, defaults and
/// running statistics. With set_statistics() its training mode takes mean and variance over the
/// batches of all ranks and is then equal to one rank that has all of them, up to rounding.
class BatchNormImpl : public torch::nn::Module {
 public:
  explicit BatchNormImpl(std::int64_t channels);
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& inputs);

  /// `statistics` is borrowed and must outlive the backward of every forward; nullptr: own batch.
  ///
  /// In training mode a forward then makes one sum() of 1 + 2C values and its backward one of 2C;
  /// both are collective. Gradients that arrive in backward must be those of ONE loss that all
  /// ranks share: a rank scales its loss (not its gradients afterwards) by its share of the
  /// samples.
  void set_statistics(BatchStatistics* statistics) { statistics_ = statistics; }
  [[nodiscard]] BatchStatistics* statistics() const { return statistics_; }

  /// The part that a rank without samples takes in a forward of the others: the same sum() and the
  /// same new running statistics.
  void empty_forward();
  /// The same for their backward.
  void empty_backward();

  [[nodiscard]] const torch::Tensor& weight() const { return weight_; }
  [[nodiscard]] const torch::Tensor& bias() const { return bias_; }
  [[nodiscard]] std::int64_t channels() const { return weight_.size(0); }

 private:
  torch::Tensor forward_over_ranks(const torch::Tensor& inputs);
  void update_running(const torch::Tensor& mean, const torch::Tensor& variance, double count);

  torch::Tensor weight_, bias_;
  torch::Tensor running_mean_, running_var_, num_batches_tracked_;
  BatchStatistics* statistics_ = nullptr;
};
TORCH_MODULE(BatchNorm);

}  // namespace convoy::trainer
