// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/internal/finite_check.h"

#include <iterator>
#include <limits>
#include <span>
#include <utility>

#include "comm/values.h"
#include "compress/reduce/finite.h"

namespace convoy::trainer::internal {

namespace {

constexpr auto kNobody = std::numeric_limits<std::int32_t>::max();

/// On a device: waits for what was put on its stream before.
bool all_finite(std::span<float> values, comm::Device memory, torch::Device device) {
  if (memory == comm::Device::kHost) return compress::all_finite(values);
  if (values.empty()) return true;
  const torch::NoGradGuard no_grad;
  const auto tensor = torch::from_blob(values.data(), {std::ssize(values)},
                                       torch::dtype(torch::kFloat32).device(device));
  return torch::isfinite(tensor).all().item<bool>();
}

}  // namespace

std::optional<std::string> FiniteCheck::first_nonfinite(const compress::Bucket& bucket) const {
  if (all_finite(bucket.values, bucket.device, device_)) return std::nullopt;
  for (const auto& layer : bucket.layers) {
    if (!all_finite(bucket.values_of(layer), bucket.device, device_)) return layer.name;
  }
  return std::nullopt;
}

void FiniteCheck::look_at(const compress::Bucket& bucket) {
  if (!own_) own_ = first_nonfinite(bucket);
}

void FiniteCheck::look_at_average(const compress::Bucket& bucket, std::size_t index) {
  if (average_ && average_->index < index) return;
  if (auto name = first_nonfinite(bucket)) average_ = Found{index, std::move(*name)};
}

comm::Request FiniteCheck::ask(comm::Communicator& communicator) {
  *first_ = own_ ? std::int32_t{communicator.rank()} : kNobody;
  return communicator.all_reduce(comm::Buffer(std::span(first_.get(), 1), first_),
                                 comm::ReduceOp::kMin);
}

std::optional<NonFinite> FiniteCheck::answer(comm::Communicator& communicator,
                                             comm::Request asked) const {
  asked.wait();
  if (*first_ != kNobody) {
    return NonFinite{*first_, comm::broadcast_text(communicator, own_.value_or(""), *first_)};
  }
  if (!average_) return std::nullopt;
  return NonFinite{NonFinite::kSum, average_->name};
}

}  // namespace convoy::trainer::internal
