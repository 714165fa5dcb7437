// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/internal/finite_check.h"

#include <iterator>
#include <limits>
#include <utility>

#include "comm/values.h"
#include "compress/reduce/finite.h"

namespace convoy::trainer::internal {

namespace {

constexpr auto kNobody = std::numeric_limits<std::int32_t>::max();

std::optional<std::string> first_nonfinite(const compress::Bucket& bucket) {
  if (compress::all_finite(bucket.values)) return std::nullopt;
  for (const auto& layer : bucket.layers) {
    if (!compress::all_finite(bucket.values_of(layer))) return layer.name;
  }
  return std::nullopt;
}

}  // namespace

void FiniteCheck::begin_step() {
  own_.reset();
  average_.reset();
  own_answers_.clear();
  average_answers_.clear();
}

void FiniteCheck::look_at(const compress::Bucket& bucket) {
  if (bucket.device != comm::Device::kHost) {
    ask_device(bucket, 0, own_answers_);
  } else if (!own_) {
    own_ = first_nonfinite(bucket);
  }
}

void FiniteCheck::look_at_average(const compress::Bucket& bucket, std::size_t index) {
  if (bucket.device != comm::Device::kHost) return ask_device(bucket, index, average_answers_);
  if (average_ && average_->index < index) return;
  if (auto name = first_nonfinite(bucket)) average_ = Found{index, std::move(*name)};
}

bool FiniteCheck::average_is_finite() {
  hear_device();
  return !average_;
}

void FiniteCheck::ask_device(const compress::Bucket& bucket, std::size_t index,
                             std::vector<Answer>& answers) const {
  const torch::NoGradGuard no_grad;
  for (const auto& layer : bucket.layers) {
    const auto values = bucket.values_of(layer);
    if (values.empty()) continue;
    const auto tensor = torch::from_blob(values.data(), {std::ssize(values)},
                                         torch::dtype(torch::kFloat32).device(device_));
    answers.push_back({{index, layer.name}, torch::isfinite(tensor).all()});
  }
}

void FiniteCheck::hear_device() {
  if (const auto found = first_of(own_answers_)) own_ = found->name;
  if (auto found = first_of(average_answers_)) average_ = std::move(found);
  own_answers_.clear();
  average_answers_.clear();
}

std::optional<FiniteCheck::Found> FiniteCheck::first_of(const std::vector<Answer>& answers) {
  if (answers.empty()) return std::nullopt;
  std::vector<torch::Tensor> flags;
  for (const Answer& answer : answers) flags.push_back(answer.is_finite);
  const auto on_host = torch::stack(flags).cpu();  // one wait for all
  const auto* is_finite = on_host.data_ptr<bool>();
  std::optional<Found> first;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (is_finite[i] || (first && first->index <= answers[i].layer.index)) continue;
    first = answers[i].layer;
  }
  return first;
}

comm::Request FiniteCheck::ask(comm::Communicator& communicator) {
  hear_device();
  *first_ = own_ ? std::int32_t{communicator.rank()} : kNobody;
  return communicator.all_reduce(comm::Buffer(std::span(first_.get(), 1), first_),
                                 comm::ReduceOp::kMin);
}

std::optional<NonFinite> FiniteCheck::answer(comm::Communicator& communicator,
                                             comm::Request asked) {
  hear_device();
  asked.wait();
  if (*first_ != kNobody) {
    return NonFinite{*first_, comm::broadcast_text(communicator, own_.value_or(""), *first_)};
  }
  if (!average_) return std::nullopt;
  return NonFinite{NonFinite::kSum, average_->name};
}

}  // namespace convoy::trainer::internal
