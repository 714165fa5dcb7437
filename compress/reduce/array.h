// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "comm/buffer.h"
#include "compress/reduce/executor.h"

namespace convoy::compress {

/// Values in an Executor's memory. Empty to begin with.
template <typename T>
class Array {
 public:
  /// `count` values; the contents are lost where it grows beyond what it once was.
  std::span<T> resize(Executor& executor, std::size_t count) {
    if (count > capacity_) {
      memory_ = executor.allocate(count * sizeof(T));
      capacity_ = count;
    }
    size_ = count;
    return values();
  }
  /// As many as `host` has, and the same.
  void assign(Executor& executor, std::span<const T> host) {
    executor.copy_in(std::as_bytes(host), std::as_writable_bytes(resize(executor, host.size())));
  }
  [[nodiscard]] std::vector<T> to_host(Executor& executor) const {
    std::vector<T> host(size_);
    executor.copy_out(std::as_bytes(values()), std::as_writable_bytes(std::span(host)));
    return host;
  }
  [[nodiscard]] std::span<T> values() const { return {reinterpret_cast<T*>(memory_.get()), size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// For communicators (comm::Buffer::owner).
  [[nodiscard]] const std::shared_ptr<std::byte>& owner() const { return memory_; }

 private:
  std::shared_ptr<std::byte> memory_;  // shared with transfers under way
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
};

/// `host` values where `executor` works: themselves on the host, else a copy in `room`.
[[nodiscard]] inline std::span<const float> placed(Executor& executor, std::span<const float> host,
                                                   Array<float>& room) {
  if (executor.device() == comm::Device::kHost) return host;
  room.assign(executor, host);
  return room.values();
}

/// An array's values for reading on the host: themselves where they lie there, else a copy in
/// `room`.
template <typename T>
[[nodiscard]] std::span<const T> on_host(Executor& executor, const Array<T>& array,
                                         std::vector<T>& room) {
  if (executor.device() == comm::Device::kHost) return array.values();
  room = array.to_host(executor);
  return room;
}

/// All of `array`, as the communicator takes it; bytes as kUInt8.
template <typename T>
[[nodiscard]] comm::Buffer buffer_of(const Executor& executor, const Array<T>& array) {
  constexpr bool is_float = std::is_same_v<T, float>;
  static_assert(is_float || std::is_same_v<T, std::byte>);
  constexpr auto dtype = is_float ? comm::DType::kFloat32 : comm::DType::kUInt8;
  comm::Buffer buffer(std::as_writable_bytes(array.values()), dtype, array.owner());
  buffer.device = executor.device();
  return buffer;
}

}  // namespace convoy::compress
