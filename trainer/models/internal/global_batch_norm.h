// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "trainer/models/batch_statistics.h"

namespace convoy::trainer::internal {

/// Mean and biased variance of every channel over the batches of all ranks.
struct Moments {
  double count = 0.0;      ///< values in a channel, all ranks
  torch::Tensor mean;      ///< [C] float64
  torch::Tensor variance;  ///< [C] float64
};

/// One sum() of count, sums and sums of squares, in float64: its 53 bits leave the variance more
/// exact than float32 inputs are, so that a second exchange for centred squares would buy nothing.
/// Collective. @throws ContractError when no rank has a value.
[[nodiscard]] Moments sum_moments(const torch::Tensor& inputs, BatchStatistics& statistics);
/// The same from a rank without samples.
[[nodiscard]] Moments sum_no_moments(std::int64_t channels, BatchStatistics& statistics);

/// Normalises `inputs` by `moments`; differentiable. Its backward makes one sum() of 2C values:
/// of dy and of dy * (x - mean). Gradients of weight and bias are the rank's own share.
/// `statistics` must outlive the backward.
[[nodiscard]] torch::Tensor global_batch_norm(const torch::Tensor& inputs,
                                              const torch::Tensor& weight,
                                              const torch::Tensor& bias, const Moments& moments,
                                              double epsilon, BatchStatistics& statistics);
/// The backward of a rank without samples.
void sum_no_gradients(std::int64_t channels, BatchStatistics& statistics);

}  // namespace convoy::trainer::internal
