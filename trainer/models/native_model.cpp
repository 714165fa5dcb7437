// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/native_model.h"

#include <ranges>

#include "trainer/checkpoint/state_dict.h"
#include "trainer/models/dropout.h"
#include "trainer/models/internal/random_init.h"
#include "trainer/models/internal/unique_tensors.h"

namespace convoy::trainer {
namespace {

constexpr std::uint64_t kDropoutStream = 0x64726f70;  // apart from the one that draws the weights

}  // namespace

NativeModel::NativeModel(std::shared_ptr<Network> network, std::uint64_t seed)
    : network_(std::move(network)),
      dropout_generator_(internal::make_generator(seed ^ kDropoutStream)) {
  internal::initialize(*network_, seed);
  for (const auto& part : network_->modules()) {
    if (auto* dropout = part->as<DropoutImpl>()) dropout->set_generator(dropout_generator_);
    if (auto norm = std::dynamic_pointer_cast<BatchNormImpl>(part)) batch_norms_.emplace_back(norm);
  }
}

torch::Tensor NativeModel::forward(const torch::Tensor& inputs) {
  return network_->forward(inputs);
}

std::vector<NamedTensor> NativeModel::parameters() const {
  internal::UniqueTensors unique;
  for (const auto& item : network_->named_parameters()) unique.add(item.key(), item.value());
  return unique.take();
}

std::vector<NamedTensor> NativeModel::buffers() const {
  internal::UniqueTensors unique;
  for (const auto& item : network_->named_buffers()) unique.add(item.key(), item.value());
  return unique.take();
}

void NativeModel::seed_dropout(std::uint64_t key) {
  internal::seed_generator(dropout_generator_, key);
}

void NativeModel::set_batch_statistics(BatchStatistics* statistics) {
  for (auto& norm : batch_norms_) norm->set_statistics(statistics);
}

void NativeModel::empty_step() {
  for (auto& norm : batch_norms_) norm->empty_forward();
  for (auto& norm : std::views::reverse(batch_norms_)) norm->empty_backward();
}

void NativeModel::save(const std::string& path) const {
  auto tensors = parameters();
  for (auto& buffer : buffers()) tensors.push_back(std::move(buffer));
  save_state_dict(path, tensors);
}

}  // namespace convoy::trainer
