// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace convoy {

using Sha256 = std::array<std::byte, 32>;

/// SHA-256 of bytes that come in pieces. Cryptographic; 2 GB/s where the processor has instructions
/// for it, a fifth of that elsewhere. One thread.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(Sha256Stream&&) noexcept;
  Sha256Stream& operator=(Sha256Stream&&) noexcept;

  void add(std::span<const std::byte> bytes);
  /// Of all that has been added so far; more may follow.
  [[nodiscard]] Sha256 digest() const;

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

[[nodiscard]] Sha256 sha256(std::span<const std::byte> bytes);
[[nodiscard]] Sha256 sha256(std::string_view text);

/// Nothing unless `hex` is what to_hex() of base/hash.h writes.
[[nodiscard]] std::optional<Sha256> sha256_from_hex(std::string_view hex);

}  // namespace convoy
