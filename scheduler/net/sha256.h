// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace convoy::net {

/// A SHA-256.
using Digest = std::array<std::byte, 32>;

/// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string to_hex(const Digest& digest);
/// The digest that 64 hexadecimal digits stand for; nothing for any other text.
[[nodiscard]] std::optional<Digest> digest_from_hex(std::string_view text);

/// SHA-256 of bytes that come piece by piece. Cryptographic; 2 GB/s where the processor has
/// instructions for it, a fifth of that elsewhere.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void add(std::span<const std::byte> bytes);
  /// Of all that has been added so far; more may follow.
  [[nodiscard]] Digest digest() const;

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

[[nodiscard]] Digest sha256(std::span<const std::byte> bytes);

}  // namespace convoy::net
