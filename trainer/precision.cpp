// SPDX-License-Identifier: Apache-2.0
#include "trainer/precision.h"

#include <algorithm>
#include <cmath>

#include "base/errors.h"
#include "trainer/loss.h"
#include "trainer/torch_compat.h"

namespace convoy::trainer {
namespace {

constexpr double kFirstOfHalf = 65536.0;

// While it lives, this thread's operations of LibTorch run in `type` where that is safe.
class Autocast {
 public:
  Autocast(at::DeviceType device, at::ScalarType type) : device_(device), type_(type) {
    at::autocast::increment_nesting();
    set_autocast(device_, type_, true);
  }
  ~Autocast() {
    set_autocast(device_, type_, false);
    // Weights that were converted, which the next update changes.
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  at::DeviceType device_;
  at::ScalarType type_;
};

torch::Tensor forward_in(at::ScalarType type, Model& model, const torch::Tensor& inputs) {
  const Autocast autocast(model.device().type(), type);
  return model.forward(inputs);
}

}  // namespace

void check_precision(const TrainConfig& train, bool on_gpus) {
  require_config(train.amp != "fp16" || on_gpus,
                 "train.amp = \"fp16\" needs GPUs on all ranks (run.device = \"cuda\", or "
                 "communication.backend = \"nccl\"): on CPUs use \"bf16\"");
}

torch::Tensor forward_loss(std::string_view amp, Task task, Model& model, const Batch& batch) {
  if (amp == "none") return mean_loss(task, model.forward(batch.inputs), batch.targets);
  const auto outputs =
      forward_in(amp == "fp16" ? torch::kFloat16 : torch::kBFloat16, model, batch.inputs);
  return mean_loss(task, outputs.to(torch::kFloat32), batch.targets);
}

LossScaler::LossScaler(double first) : active_(first > 0.0) {
  if (active_) scale_ = std::clamp(std::exp2(std::floor(std::log2(first))), 1.0, kLargest);
}

void LossScaler::grow() {
  if (!active_ || ++good_steps_ < kGrowEvery) return;
  good_steps_ = 0;
  scale_ = std::min(2.0 * scale_, kLargest);
}

bool LossScaler::back_off() {
  good_steps_ = 0;
  if (scale_ <= 1.0) return false;
  scale_ /= 2.0;
  return true;
}

void LossScaler::restore(double scale, std::int64_t good_steps) {
  if (!active_ || scale < 1.0) return;
  scale_ = scale;
  good_steps_ = good_steps;
}

LossScaler make_loss_scaler(const TrainConfig& train) {
  if (train.loss_scale > 0.0) return LossScaler(train.loss_scale);
  return LossScaler(train.amp == "fp16" ? kFirstOfHalf : 0.0);
}

}  // namespace convoy::trainer
