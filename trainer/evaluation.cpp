// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "comm/values.h"
#include "trainer/loss.h"

namespace convoy::trainer {
namespace {

struct Totals {
  double loss_sum = 0.0;
  double samples = 0.0;
  double correct = 0.0;
  double counted = 0.0;
};

void add_batch(Totals& totals, Task task, Model& model, const Batch& batch) {
  const torch::Tensor outputs = model.forward(batch.inputs);
  const auto samples = static_cast<double>(batch.samples());
  const Hits hits = count_hits(task, outputs, batch.targets);
  totals.loss_sum += samples * mean_loss(task, outputs, batch.targets).item<double>();
  totals.samples += samples;
  totals.correct += static_cast<double>(hits.correct);
  totals.counted += static_cast<double>(hits.counted);
}

/// The contiguous part of 0..size-1 that belongs to `rank`.
std::vector<std::int64_t> own_indices(std::int64_t size, int rank, int ranks) {
  const std::int64_t begin = size * rank / ranks;
  std::vector<std::int64_t> indices(static_cast<std::size_t>(size * (rank + 1) / ranks - begin));
  std::iota(indices.begin(), indices.end(), begin);
  return indices;
}

Totals add_up(Model& model, const Dataset& dataset, std::span<const std::int64_t> indices,
              std::int64_t batch_size) {
  const torch::NoGradGuard no_grad;
  model.train(false);
  Totals totals;
  for (std::size_t begin = 0; begin < indices.size();) {
    const auto count = std::min(indices.size() - begin, static_cast<std::size_t>(batch_size));
    const Batch batch = dataset.get(indices.subspan(begin, count), 0).to(model.device());
    add_batch(totals, dataset.info().task, model, batch);
    begin += count;
  }
  model.train(true);
  return totals;
}

Evaluation mean_of(const Totals& totals) {
  Evaluation result;
  result.samples = static_cast<std::int64_t>(totals.samples);
  result.loss = totals.loss_sum / std::max(totals.samples, 1.0);
  result.accuracy = totals.counted > 0 ? totals.correct / totals.counted
                                       : std::numeric_limits<double>::quiet_NaN();
  return result;
}

}  // namespace

Evaluation evaluate_model(comm::Communicator& communicator, Model& model, const Dataset& dataset,
                          std::int64_t batch_size) {
  const auto indices = own_indices(dataset.size(), communicator.rank(), communicator.size());
  const Totals own = add_up(model, dataset, indices, batch_size);
  const auto sums = comm::all_reduce_values(
      communicator, std::vector{own.loss_sum, own.samples, own.correct, own.counted});
  return mean_of({sums[0], sums[1], sums[2], sums[3]});
}

Evaluation evaluate_samples(Model& model, const Dataset& dataset,
                            std::span<const std::int64_t> indices, std::int64_t batch_size) {
  return mean_of(add_up(model, dataset, indices, batch_size));
}

}  // namespace convoy::trainer
