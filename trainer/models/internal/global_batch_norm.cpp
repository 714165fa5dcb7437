// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/internal/global_batch_norm.h"

#include <bit>
#include <span>

#include "base/errors.h"

namespace convoy::trainer::internal {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

/// The sums over ranks, in place where `own` is on the host.
torch::Tensor over_ranks(const torch::Tensor& own, BatchStatistics& statistics) {
  const auto host = own.cpu();
  statistics.sum({host.data_ptr<double>(), static_cast<std::size_t>(host.numel())});
  return host.to(own.device());
}

/// Sums [B, C, H, W] per channel, accumulating in float64.
torch::Tensor channel_sums(const torch::Tensor& tensor) {
  return tensor.sum({0, 2, 3}, /*keepdim=*/false, torch::kFloat64);
}

/// [C] -> [1, C, 1, 1] of the type of `like`.
torch::Tensor per_channel(const torch::Tensor& values, const torch::Tensor& like) {
  return values.to(like.dtype()).view({1, -1, 1, 1});
}

/// `own` is [count, sums, sums of squares], 1 + 2C values.
Moments exchange_moments(const torch::Tensor& own, BatchStatistics& statistics) {
  const auto packed = over_ranks(own, statistics);
  const std::int64_t channels = (packed.numel() - 1) / 2;
  Moments moments;
  moments.count = packed[0].item<double>();
  require(moments.count > 0.0, "BatchNorm over ranks: every rank's batch is empty");
  moments.mean = packed.narrow(0, 1, channels) / moments.count;
  const auto squares = packed.narrow(0, 1 + channels, channels) / moments.count;
  moments.variance = (squares - moments.mean.square()).clamp_min_(0.0);
  return moments;
}

class GlobalBatchNorm : public torch::autograd::Function<GlobalBatchNorm> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& inputs,
                               const torch::Tensor& weight, const torch::Tensor& bias,
                               const Moments& moments, double epsilon,
                               BatchStatistics* statistics) {
    const auto inverse_deviation = (moments.variance + epsilon).rsqrt();
    context->save_for_backward({inputs, weight});
    context->saved_data["mean"] = moments.mean;
    context->saved_data["inverse_deviation"] = inverse_deviation;
    context->saved_data["count"] = moments.count;
    context->saved_data["statistics"] = std::bit_cast<std::intptr_t>(statistics);
    return torch::batch_norm(inputs, weight, bias, moments.mean.to(inputs.dtype()),
                             moments.variance.to(inputs.dtype()), /*training=*/false,
                             /*momentum=*/0.0, epsilon, /*cudnn_enabled=*/false);
  }

  static tensor_list backward(AutogradContext* context, tensor_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto& inputs = saved[0];
    const auto& weight = saved[1];
    const auto mean = context->saved_data["mean"].toTensor();
    const auto inverse_deviation = context->saved_data["inverse_deviation"].toTensor();
    const double count = context->saved_data["count"].toDouble();
    auto& statistics =
        *std::bit_cast<BatchStatistics*>(std::intptr_t{context->saved_data["statistics"].toInt()});

    const auto& gradient = gradients[0];
    const auto centred = inputs - per_channel(mean, inputs);
    const auto own_bias = channel_sums(gradient);
    const auto own_weight = channel_sums(gradient * centred) * inverse_deviation;
    auto sums = over_ranks(torch::cat({own_bias, own_weight}), statistics);
    const auto halves = sums.div_(count).chunk(2);

    // dx = weight / deviation * (dy - mean(dy) - xhat * mean(dy * xhat)), means over all ranks.
    const auto slope = per_channel(halves[1] * inverse_deviation, inputs);
    const auto scale = per_channel(weight.to(torch::kFloat64) * inverse_deviation, inputs);
    const auto own_inputs =
        (gradient - per_channel(halves[0], inputs)).sub_(centred.mul(slope)).mul_(scale);
    return {own_inputs, own_weight.to(weight.dtype()), own_bias.to(weight.dtype()), {}, {}, {}};
  }
};

}  // namespace

Moments sum_moments(const torch::Tensor& inputs, BatchStatistics& statistics) {
  const torch::NoGradGuard no_grad;
  const auto exact = inputs.to(torch::kFloat64);
  const auto count = static_cast<double>(inputs.numel() / inputs.size(1));
  return exchange_moments(torch::cat({torch::full({1}, count, exact.options()), channel_sums(exact),
                                      channel_sums(exact.square())}),
                          statistics);
}

Moments sum_no_moments(std::int64_t channels, BatchStatistics& statistics) {
  const torch::NoGradGuard no_grad;
  return exchange_moments(torch::zeros({1 + 2 * channels}, torch::kFloat64), statistics);
}

torch::Tensor global_batch_norm(const torch::Tensor& inputs, const torch::Tensor& weight,
                                const torch::Tensor& bias, const Moments& moments, double epsilon,
                                BatchStatistics& statistics) {
  return GlobalBatchNorm::apply(inputs, weight, bias, moments, epsilon, &statistics);
}

void sum_no_gradients(std::int64_t channels, BatchStatistics& statistics) {
  (void)over_ranks(torch::zeros({2 * channels}, torch::kFloat64), statistics);
}

}  // namespace convoy::trainer::internal
