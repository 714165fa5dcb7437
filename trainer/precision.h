// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string_view>

#include "trainer/job.h"
#include "trainer/models/model.h"

namespace convoy::trainer {

/// @param on_gpus  all ranks train on one. @throws ConfigError where train.amp needs that.
void check_precision(const TrainConfig& train, bool on_gpus);

/// Forward and mean loss of a batch, differentiable, a float32 scalar. With `train.amp` LibTorch
/// computes matrix products and convolutions in 16 bits (weights stay float32, and so do their
/// gradients), and the loss in float32.
/// @param amp  TrainConfig::amp, checked.
[[nodiscard]] torch::Tensor forward_loss(std::string_view amp, Task task, Model& model,
                                         const Batch& batch);

/// The factor on the loss that keeps small gradients of float16 from becoming zero. Halves when
/// gradients were not finite, and doubles after so many steps that were. Powers of two, so that
/// dividing by it changes no bit. Paper: Mixed Precision Training, arXiv:1710.03740, section 3.2;
/// the changes are those of torch.cuda.amp.GradScaler. The same on all ranks, by calls alike.
class LossScaler {
 public:
  static constexpr std::int64_t kGrowEvery = 2000;
  static constexpr double kLargest = 16777216.0;  // 2^24

  /// @param first  rounded down to a power of two; 0: always 1.
  explicit LossScaler(double first);

  /// False: the scale is 1 for ever.
  [[nodiscard]] bool active() const { return active_; }
  [[nodiscard]] double scale() const { return scale_; }
  /// After a step whose gradients were finite.
  void grow();
  /// After one whose gradients were not. @return false when the scale is not to blame: it was 1.
  [[nodiscard]] bool back_off();

  [[nodiscard]] std::int64_t good_steps() const { return good_steps_; }
  void restore(double scale, std::int64_t good_steps);

 private:
  bool active_;
  double scale_ = 1.0;
  std::int64_t good_steps_ = 0;  // since the last change
};

/// What `train.loss_scale` = 0 means: 65536 with fp16, else none.
[[nodiscard]] LossScaler make_loss_scaler(const TrainConfig& train);

}  // namespace convoy::trainer
