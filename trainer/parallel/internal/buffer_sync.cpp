// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/internal/buffer_sync.h"

#include <span>

namespace convoy::trainer::internal {
namespace {

std::vector<NamedTensor> select(const std::vector<NamedTensor>& buffers, bool floating_point) {
  std::vector<NamedTensor> selected;
  for (const auto& buffer : buffers) {
    if (buffer.tensor.is_floating_point() == floating_point) selected.push_back(buffer);
  }
  return selected;
}

torch::Tensor tensor_over(std::span<double> values, torch::IntArrayRef shape) {
  return torch::from_blob(values.data(), shape, torch::kFloat64);
}

}  // namespace

BufferSync::BufferSync(const std::vector<NamedTensor>& buffers, bool average)
    : sums_(std::make_shared<std::vector<double>>()),
      copied_(average ? select(buffers, false) : buffers),
      image_(copied_) {
  if (!average) return;
  std::size_t count = 0;
  for (const auto& buffer : select(buffers, true)) {
    averaged_.push_back(buffer.tensor);
    count += static_cast<std::size_t>(buffer.tensor.numel());
  }
  sums_->resize(count);
}

void BufferSync::run(comm::Communicator& communicator, std::int64_t samples, std::int64_t total,
                     int root) {
  if (communicator.size() == 1) return;
  if (!averaged_.empty()) average(communicator, samples, total);
  if (copied_.empty()) return;
  const bool is_root = communicator.rank() == root;
  if (is_root) image_.pack();
  communicator.broadcast(comm::Buffer(image_.bytes(), comm::DType::kUInt8, image_.owner()), root)
      .wait();
  if (!is_root) image_.unpack();
}

void BufferSync::average(comm::Communicator& communicator, std::int64_t samples,
                         std::int64_t total) {
  const torch::NoGradGuard no_grad;
  std::span<double> rest(*sums_);
  for (const auto& buffer : averaged_) {
    const auto values = rest.first(static_cast<std::size_t>(buffer.numel()));
    tensor_over(values, buffer.sizes()).copy_(buffer);
    rest = rest.subspan(values.size());
  }
  for (double& value : *sums_) value *= static_cast<double>(samples);
  communicator.all_reduce(comm::Buffer(std::span(*sums_), sums_)).wait();
  for (double& value : *sums_) value /= static_cast<double>(total);
  rest = *sums_;
  for (const auto& buffer : averaged_) {
    const auto values = rest.first(static_cast<std::size_t>(buffer.numel()));
    buffer.copy_(tensor_over(values, buffer.sizes()));
    rest = rest.subspan(values.size());
  }
}

}  // namespace convoy::trainer::internal
