// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstring>
#include <vector>

#include "comm/communicator.h"
#include "comm/nccl/internal/handles.h"

namespace convoy::tests {

/// Device memory that holds a copy of `values`. The double's can be read and written directly.
template <typename T>
class OnDevice {
 public:
  explicit OnDevice(const std::vector<T>& values)
      : numel_(values.size()), memory_(comm::nccl::make_device_memory(values.size() * sizeof(T))) {
    if (numel_ > 0) std::memcpy(memory_.get(), values.data(), numel_ * sizeof(T));
  }
  [[nodiscard]] comm::Buffer buffer() const {
    comm::Buffer all({memory_.get(), numel_ * sizeof(T)}, comm::dtype_of<T>());
    all.device = comm::Device::kCuda;
    return all;
  }
  [[nodiscard]] std::size_t numel() const { return numel_; }
  [[nodiscard]] std::vector<T> values() const {
    std::vector<T> copy(numel_);
    if (numel_ > 0) std::memcpy(copy.data(), memory_.get(), numel_ * sizeof(T));
    return copy;
  }

 private:
  std::size_t numel_;
  comm::nccl::DeviceMemory memory_;
};

}  // namespace convoy::tests
