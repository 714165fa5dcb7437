// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/internal/gradient_buckets.h"

namespace convoy::trainer::internal {
namespace {

/// A part of a bucket, which holds all of it. Not a view in autograd's sense, so that zero_grad()
/// may detach it in place.
torch::Tensor part_of(const torch::Tensor& bucket, std::int64_t offset,
                      const torch::Tensor& parameter) {
  return bucket.narrow(0, offset, parameter.numel()).view(parameter.sizes()).variable_data();
}

torch::Tensor dense(const torch::Tensor& gradient) {
  return gradient.is_sparse() ? gradient.to_dense() : gradient;
}

}  // namespace

GradientBuckets::GradientBuckets(const std::vector<NamedTensor>& parameters,
                                 const std::vector<std::vector<std::size_t>>& layout,
                                 const Placement& place)
    : place_(place), slots_(parameters.size()) {
  for (const auto& members : layout) make_bucket(parameters, members);
}

void GradientBuckets::make_bucket(const std::vector<NamedTensor>& parameters,
                                  const std::vector<std::size_t>& members) {
  compress::Bucket bucket;
  std::int64_t filled = 0;
  for (const auto index : members) {
    const auto& [name, tensor] = parameters[index];
    bucket.layers.push_back({name, filled, tensor.sizes().vec(), tensor.numel()});
    filled += tensor.numel();
  }
  const auto memory = torch::zeros({filled}, torch::dtype(torch::kFloat32).device(place_.device));
  bucket.values = {memory.data_ptr<float>(), static_cast<std::size_t>(filled)};
  bucket.owner = std::make_shared<torch::Tensor>(memory);
  bucket.device = place_.memory;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& tensor = parameters[members[i]].tensor;
    const bool in_place =
        tensor.device() == memory.device() && tensor.scalar_type() == torch::kFloat32;
    slots_[members[i]] = {tensor, part_of(memory, bucket.layers[i].offset, tensor), buckets_.size(),
                          in_place};
  }
  buckets_.push_back(std::move(bucket));
}

void GradientBuckets::pack(std::size_t parameter) {
  auto& slot = slots_[parameter];
  auto& gradient = slot.parameter.mutable_grad();
  const torch::NoGradGuard no_grad;
  if (!gradient.is_same(slot.values)) {
    slot.values.copy_(dense(gradient));
    if (slot.in_place) gradient = slot.values;
  }
  unscale(slot);
}

void GradientBuckets::unscale(Slot& slot) const {
  if (to_unscale_ != 1.0) slot.values.mul_(to_unscale_);
}

void GradientBuckets::pack_aside(std::size_t parameter) {
  auto& slot = slots_[parameter];
  auto& gradient = slot.parameter.mutable_grad();
  const torch::NoGradGuard no_grad;
  if (!gradient.defined()) {
    slot.values.zero_();
  } else if (gradient.is_same(slot.values)) {
    gradient = slot.values.clone();
  } else {
    slot.values.copy_(dense(gradient));
  }
  unscale(slot);
}

void GradientBuckets::deliver(std::size_t parameter) {
  auto& slot = slots_[parameter];
  auto& gradient = slot.parameter.mutable_grad();
  if (gradient.is_same(slot.values)) return;
  if (slot.in_place) {
    gradient = slot.values;
    return;
  }
  const torch::NoGradGuard no_grad;
  if (!gradient.defined() || gradient.is_sparse()) gradient = torch::empty_like(slot.parameter);
  gradient.copy_(slot.values);
}

}  // namespace convoy::trainer::internal
