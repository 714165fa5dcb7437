// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/internal/packed_tensors.h"

namespace convoy::trainer::internal {
namespace {

/// Every image starts at a multiple of this: the widest element type, complex128.
constexpr std::size_t kAlignment = 16;

std::size_t aligned(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

PackedTensors::PackedTensors(const std::vector<NamedTensor>& tensors) {
  for (const auto& named : tensors) size_ += aligned(named.tensor.nbytes());
  memory_ = std::make_shared<std::byte[]>(size_);
  std::size_t offset = 0;
  for (const auto& named : tensors) {
    const auto options = torch::TensorOptions().dtype(named.tensor.scalar_type());
    tensors_.push_back(named.tensor);
    images_.push_back(torch::from_blob(memory_.get() + offset, named.tensor.sizes(), options));
    offset += aligned(named.tensor.nbytes());
  }
}

void PackedTensors::pack() {
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < tensors_.size(); ++i) images_[i].copy_(tensors_[i]);
}

void PackedTensors::unpack() {
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < tensors_.size(); ++i) tensors_[i].copy_(images_[i]);
}

}  // namespace convoy::trainer::internal
