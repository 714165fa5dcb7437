// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace convoy::scheduler::journal::internal {

/// Little-endian, whatever the machine.
class ByteWriter {
 public:
  template <std::unsigned_integral T>
  ByteWriter& number(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      bytes_.push_back(static_cast<std::byte>(value >> (8 * i)));
    }
    return *this;
  }
  ByteWriter& integer(std::int64_t value) { return number(static_cast<std::uint64_t>(value)); }
  ByteWriter& real(double value) { return number(std::bit_cast<std::uint64_t>(value)); }
  ByteWriter& raw(std::span<const std::byte> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  /// Its length as 4 bytes, then the text.
  ByteWriter& text(std::string_view text) {
    return number(static_cast<std::uint32_t>(text.size())).raw(std::as_bytes(std::span(text)));
  }
  [[nodiscard]] const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

/// Reads what a ByteWriter wrote. What is missing reads as 0, and ok() is false from then on.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : left_(bytes) {}

  template <std::unsigned_integral T>
  T number() {
    T value = 0;
    const auto bytes = raw(sizeof(T));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      value |= static_cast<T>(std::to_integer<T>(bytes[i]) << (8 * i));
    }
    return value;
  }
  std::int64_t integer() { return static_cast<std::int64_t>(number<std::uint64_t>()); }
  double real() { return std::bit_cast<double>(number<std::uint64_t>()); }
  /// Empty where fewer are left.
  std::span<const std::byte> raw(std::size_t count) {
    if (count > left_.size()) {
      ok_ = false;
      left_ = {};
      return {};
    }
    const auto taken = left_.first(count);
    left_ = left_.subspan(count);
    return taken;
  }
  std::string text() {
    const auto bytes = raw(number<std::uint32_t>());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  [[nodiscard]] bool ok() const { return ok_; }
  /// All there was, and no more.
  [[nodiscard]] bool at_end() const { return ok_ && left_.empty(); }

 private:
  std::span<const std::byte> left_;
  bool ok_ = true;
};

}  // namespace convoy::scheduler::journal::internal
