// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/batch_norm.h"

#include "base/errors.h"
#include "trainer/models/internal/global_batch_norm.h"

namespace convoy::trainer {
namespace {

constexpr double kEpsilon = 1e-5;
constexpr double kMomentum = 0.1;

}  // namespace

BatchNormImpl::BatchNormImpl(std::int64_t channels) {
  weight_ = register_parameter("weight", torch::ones({channels}));
  bias_ = register_parameter("bias", torch::zeros({channels}));
  running_mean_ = register_buffer("running_mean", torch::zeros({channels}));
  running_var_ = register_buffer("running_var", torch::ones({channels}));
  num_batches_tracked_ =
      register_buffer("num_batches_tracked", torch::zeros({}, torch::dtype(torch::kInt64)));
}

torch::Tensor BatchNormImpl::forward(const torch::Tensor& inputs) {
  require(inputs.dim() == 4 && inputs.size(1) == channels(), "BatchNorm needs [B, C, H, W]");
  if (is_training() && statistics_ != nullptr) return forward_over_ranks(inputs);
  if (is_training()) num_batches_tracked_.add_(1);
  return torch::batch_norm(inputs, weight_, bias_, running_mean_, running_var_, is_training(),
                           kMomentum, kEpsilon, /*cudnn_enabled=*/false);
}

torch::Tensor BatchNormImpl::forward_over_ranks(const torch::Tensor& inputs) {
  const auto whole = inputs.to(weight_.scalar_type());  // 16 bits, with mixed precision
  const auto moments = internal::sum_moments(whole, *statistics_);
  update_running(moments.mean, moments.variance, moments.count);
  return internal::global_batch_norm(whole, weight_, bias_, moments, kEpsilon, *statistics_);
}

void BatchNormImpl::empty_forward() {
  if (statistics_ == nullptr) return;
  const auto moments = internal::sum_no_moments(channels(), *statistics_);
  update_running(moments.mean, moments.variance, moments.count);
}

void BatchNormImpl::empty_backward() {
  if (statistics_ != nullptr) internal::sum_no_gradients(channels(), *statistics_);
}

void BatchNormImpl::update_running(const torch::Tensor& mean, const torch::Tensor& variance,
                                   double count) {
  const torch::NoGradGuard no_grad;
  num_batches_tracked_.add_(1);
  // PyTorch normalises by the biased variance and remembers the unbiased one.
  const double unbias = count > 1.0 ? count / (count - 1.0) : 1.0;
  running_mean_.mul_(1.0 - kMomentum).add_(mean.to(running_mean_.options()), kMomentum);
  running_var_.mul_(1.0 - kMomentum)
      .add_((variance * unbias).to(running_var_.options()), kMomentum);
}

}  // namespace convoy::trainer
