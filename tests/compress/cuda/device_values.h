// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "compress/cuda/engine.h"

namespace convoy::compress::cuda {

[[nodiscard]] inline DeviceSpan<std::byte> bytes_of(std::byte* data, std::size_t bytes) {
  return {data, static_cast<std::int64_t>(bytes)};
}

/// Values in the memory of an engine that outlives them.
template <typename T>
class DeviceValuesOf {
 public:
  DeviceValuesOf(Engine& engine, const std::vector<T>& values)
      : engine_(&engine), size_(values.size()), memory_(engine.allocate(size_ * sizeof(T))) {
    engine.copy_in(std::as_bytes(std::span(values)), bytes_of(memory_.get(), size_ * sizeof(T)));
  }
  [[nodiscard]] DeviceSpan<T> span() const {
    return {reinterpret_cast<T*>(memory_.get()), static_cast<std::int64_t>(size_)};
  }
  [[nodiscard]] DeviceSpan<const T> read() const { return span(); }
  [[nodiscard]] std::vector<T> to_host() const {
    std::vector<T> values(size_);
    engine_->copy_out(bytes_of(memory_.get(), size_ * sizeof(T)),
                      std::as_writable_bytes(std::span(values)));
    return values;
  }

 private:
  Engine* engine_;
  std::size_t size_;
  std::shared_ptr<std::byte> memory_;
};

}  // namespace convoy::compress::cuda
