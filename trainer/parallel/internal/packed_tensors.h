// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "trainer/named_tensor.h"

namespace convoy::trainer::internal {

/// An image of several tensors, whatever their types, strides and devices, as one run of bytes:
/// many tensors travel as one message. Bits are kept.
class PackedTensors {
 public:
  explicit PackedTensors(const std::vector<NamedTensor>& tensors);

  /// Tensors -> bytes.
  void pack();
  /// Bytes -> tensors, in place.
  void unpack();
  [[nodiscard]] std::span<std::byte> bytes() const { return {memory_.get(), size_}; }
  /// Keeps bytes() alive.
  [[nodiscard]] std::shared_ptr<void> owner() const { return memory_; }

 private:
  std::size_t size_ = 0;
  std::shared_ptr<std::byte[]> memory_;  // shared with transfers under way
  std::vector<torch::Tensor> tensors_;
  std::vector<torch::Tensor> images_;  // the same values, contiguous, inside memory_
};

}  // namespace convoy::trainer::internal
