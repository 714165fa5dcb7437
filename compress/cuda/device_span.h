// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <type_traits>

#include "base/host_device.h"

namespace convoy::compress::cuda {

/// `size` elements in the memory of a GPU, as cudaMalloc gives it. A raw pointer with its size, so
/// that memory of LibTorch, of NCCL or of one's own will do. Only kernels may look inside: on the
/// host that is a mistake, unless the memory is the host's (as in tests of kernels), where every
/// access is checked. On the device none is.
template <typename T>
class DeviceSpan {
 public:
  DeviceSpan() = default;
  CONVOY_HOST_DEVICE DeviceSpan(T* data, std::int64_t size) : data_(data), size_(size) {}
  /// From a span of what is not const.
  template <typename U>
  requires std::is_same_v<const U, T> CONVOY_HOST_DEVICE DeviceSpan(DeviceSpan<U> other)
      : data_(other.data()), size_(other.size()) {}

  [[nodiscard]] CONVOY_HOST_DEVICE T* data() const { return data_; }
  [[nodiscard]] CONVOY_HOST_DEVICE std::int64_t size() const { return size_; }
  [[nodiscard]] CONVOY_HOST_DEVICE T& operator[](std::int64_t i) const { return *at(i, 1); }
  /// `count` elements from `from` on.
  [[nodiscard]] CONVOY_HOST_DEVICE DeviceSpan part(std::int64_t from, std::int64_t count) const {
    return {at(from, count), count};
  }

 private:
  /// The address of the first of `count` elements.
  [[nodiscard]] CONVOY_HOST_DEVICE T* at(std::int64_t from, std::int64_t count) const {
#if !defined(__CUDA_ARCH__)
    if (from < 0 || count < 0 || from > size_ - count) {
      throw std::out_of_range("DeviceSpan: elements beyond its end");
    }
#endif
    return data_ + from;
  }

  T* data_ = nullptr;
  std::int64_t size_ = 0;
};

}  // namespace convoy::compress::cuda
