// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "trainer/data/dataset.h"

namespace convoy::trainer {

/// Mean loss over the samples of a batch (over their tokens for kLanguage); differentiable scalar.
/// @param outputs  what the model made of the inputs; shapes as in Task.
[[nodiscard]] torch::Tensor mean_loss(Task task, const torch::Tensor& outputs,
                                      const torch::Tensor& targets);

/// How many predictions a batch holds, and how many have the target's class on top.
struct Hits {
  std::int64_t correct = 0;
  std::int64_t counted = 0;  ///< samples, or tokens for kLanguage; 0 for kRegress
};
[[nodiscard]] Hits count_hits(Task task, const torch::Tensor& outputs,
                              const torch::Tensor& targets);

}  // namespace convoy::trainer
