// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "trainer/data/dataset.h"
#include "trainer/models/model.h"

namespace convoy::launch {

/// A model that sleeps in place of computing, so that more ranks than cores can be measured: the
/// parameters and, of one real backward pass, the gradients are real; forward takes a third of the
/// time and backward the rest, each layer with a matrix an equal share of it, in the real order.
/// Equal shares are about right for residual networks, whose stages trade pixels for channels.
class SleepingModel final : public trainer::Model {
 public:
  /// Runs `model` once, forward and backward, on `batch`.
  SleepingModel(std::unique_ptr<trainer::Model> model, trainer::Task task,
                const trainer::Batch& batch, std::chrono::duration<double> time);
  ~SleepingModel() override;

  /// @return outputs of the real shape, all zero.
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& inputs) override;
  void train(bool on) override { model_->train(on); }
  [[nodiscard]] std::vector<trainer::NamedTensor> parameters() const override {
    return model_->parameters();
  }
  [[nodiscard]] std::vector<trainer::NamedTensor> buffers() const override {
    return model_->buffers();
  }
  void seed_dropout(std::uint64_t key) override { model_->seed_dropout(key); }
  void set_batch_statistics(trainer::BatchStatistics*) override {}
  void save(const std::string& path) const override { model_->save(path); }

 private:
  struct Layer;
  std::unique_ptr<trainer::Model> model_;
  std::vector<std::unique_ptr<Layer>> layers_;  // in the order of forward
  std::vector<std::int64_t> output_shape_;
};

}  // namespace convoy::launch
