// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "base/half.h"

namespace convoy::comm {

/// Element types that every backend moves and reduces. float16 and bfloat16 are summed in float32
/// and rounded once.
enum class DType : std::uint8_t { kFloat32, kFloat16, kBFloat16, kFloat64, kInt32, kInt64, kUInt8 };

[[nodiscard]] std::size_t element_bytes(DType dtype);
[[nodiscard]] std::string_view name(DType dtype);

/// Where the memory of a buffer lives.
enum class Device : std::uint8_t { kHost, kCuda };

template <typename T>
concept Element = std::same_as<T, float> || std::same_as<T, Half> || std::same_as<T, BFloat16> ||
    std::same_as<T, double> || std::same_as<T, std::int32_t> || std::same_as<T, std::int64_t> ||
    std::same_as<T, std::uint8_t>;

template <Element T>
[[nodiscard]] constexpr DType dtype_of() {
  if constexpr (std::same_as<T, float>) return DType::kFloat32;
  if constexpr (std::same_as<T, Half>) return DType::kFloat16;
  if constexpr (std::same_as<T, BFloat16>) return DType::kBFloat16;
  if constexpr (std::same_as<T, double>) return DType::kFloat64;
  if constexpr (std::same_as<T, std::int32_t>) return DType::kInt32;
  if constexpr (std::same_as<T, std::int64_t>) return DType::kInt64;
  return DType::kUInt8;
}

/// Contiguous elements that an operation reads and writes: bytes, element type and device. `owner`,
/// when given, is held by the Request, and for ever by a poisoned communicator, because a transport
/// may still write into memory whose operation has failed. Without it the caller keeps the memory
/// alive until wait() returns, or for the rest of the process after a CommError.
struct Buffer {
  std::span<std::byte> bytes;
  DType dtype = DType::kUInt8;
  Device device = Device::kHost;
  std::shared_ptr<void> owner = nullptr;

  Buffer() = default;
  Buffer(std::span<std::byte> memory, DType type, std::shared_ptr<void> keep = nullptr)
      : bytes(memory), dtype(type), owner(std::move(keep)) {}
  template <Element T, std::size_t N>
  explicit(false) Buffer(std::span<T, N> values, std::shared_ptr<void> keep = nullptr)
      : bytes(std::as_writable_bytes(values)), dtype(dtype_of<T>()), owner(std::move(keep)) {}

  [[nodiscard]] std::int64_t numel() const {
    return static_cast<std::int64_t>(bytes.size() / element_bytes(dtype));
  }
};

/// The same, only read.
struct ConstBuffer {
  std::span<const std::byte> bytes;
  DType dtype = DType::kUInt8;
  Device device = Device::kHost;
  std::shared_ptr<void> owner = nullptr;

  ConstBuffer() = default;
  ConstBuffer(std::span<const std::byte> memory, DType type, std::shared_ptr<void> keep = nullptr)
      : bytes(memory), dtype(type), owner(std::move(keep)) {}
  explicit(false) ConstBuffer(const Buffer& buffer)
      : bytes(buffer.bytes), dtype(buffer.dtype), device(buffer.device), owner(buffer.owner) {}
  template <typename T, std::size_t N>
  requires Element<std::remove_const_t<T>>
  explicit(false) ConstBuffer(std::span<T, N> values, std::shared_ptr<void> keep = nullptr)
      : bytes(std::as_bytes(values)),
        dtype(dtype_of<std::remove_const_t<T>>()),
        owner(std::move(keep)) {}

  [[nodiscard]] std::int64_t numel() const {
    return static_cast<std::int64_t>(bytes.size() / element_bytes(dtype));
  }
};

}  // namespace convoy::comm
