// SPDX-License-Identifier: Apache-2.0
#include "trainer/loss.h"

namespace convoy::trainer {
namespace {

/// [B, T, classes] -> [B*T, classes]; [B, classes] stays.
torch::Tensor one_row_a_prediction(const torch::Tensor& outputs) {
  return outputs.reshape({-1, outputs.size(-1)});
}

}  // namespace

torch::Tensor mean_loss(Task task, const torch::Tensor& outputs, const torch::Tensor& targets) {
  if (task == Task::kRegress) return torch::mse_loss(outputs, targets);
  return torch::cross_entropy_loss(one_row_a_prediction(outputs), targets.reshape({-1}));
}

Hits count_hits(Task task, const torch::Tensor& outputs, const torch::Tensor& targets) {
  if (task == Task::kRegress) return {};
  const torch::Tensor found = one_row_a_prediction(outputs).argmax(1);
  return {found.eq(targets.reshape({-1})).sum().item<std::int64_t>(), found.numel()};
}

}  // namespace convoy::trainer
